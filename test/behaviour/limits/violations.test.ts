import { defineContract, ReplyError, type HubOptions } from "roomcast";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { ClientFixture } from "../../../src/testing/suite/client-fixture.ts";
import type { HubFixture } from "../../../src/testing/suite/hub-fixture.ts";
import { openStageInTime, SUBJECTS } from "../../support/stages.ts";

const ABUSE = { code: 4005, reason: "Too much that is wrong" };
const THREE = { violations: { perSecond: 1, burst: 3 } };

const contract = defineContract({ client: { chat: z.string() }, server: {} });

/** A message that is the client's fault, what the hub has to be like for it, and what the client is told. */
interface Fault {
  readonly code: string;
  readonly options?: HubOptions;
  /** Called once for the client before. */
  readonly before?: (guest: ClientFixture, stage: HubFixture) => void;
  readonly commit: (guest: ClientFixture, stage: HubFixture) => void;
}

const FAULTS: readonly Fault[] = [
  { code: "bad-packet", commit: (guest) => guest.client.send("no packet") },
  { code: "unexpected-message", commit: (guest, { wire }) => guest.client.send(wire.foreign(1)) },
  { code: "unknown-event", commit: (guest) => guest.say({ event: "nobody handles this" }) },
  { code: "reserved-event", commit: (guest) => guest.say({ event: "hub:welcome" }) },
  {
    code: "invalid-data",
    options: { contract: contract as NonNullable<HubOptions["contract"]> },
    before: (_guest, { hub }) => hub.handle("chat", () => {}),
    commit: (guest) => guest.say({ event: "chat", data: 7 }),
  },
  {
    code: "too-many-requests",
    before: (guest, { hub }) => {
      hub.handle("for ever", () => new Promise(() => {}));
      guest.say({ event: "for ever" });
    },
    commit: (guest) => guest.say({ event: "for ever" }),
  },
];

const CASES = SUBJECTS.flatMap((subject) => FAULTS.map((fault) => ({ subject, fault, on: subject.name })));

describe.each(CASES)("A client that is told $fault.code on $on", ({ subject, fault }) => {
  const limits = { ...THREE, pendingRequests: 1 };

  test("is closed the fourth time", async () => {
    const { stage } = await openStageInTime(subject, { ...fault.options, limits });
    const guest = await stage.connect();
    const other = await stage.connect();
    fault.before?.(guest, stage);
    for (let time = 1; time <= 4; time++) {
      fault.commit(guest, stage);
      expect(await guest.packet()).toMatchObject({ event: "hub:error", data: { code: fault.code } });
    }
    expect(await guest.client.closed).toStrictEqual(ABUSE);
    expect(await stage.departures.next()).toStrictEqual({ socket: guest.socket, ...ABUSE });
    expect(stage.hub.stats().violations).toBe(4);
    expect(stage.failures.take()).toStrictEqual([]);
    expect(await other.heard()).toStrictEqual([]);
  });

  test("is forgiven with time", async () => {
    const { stage, clock } = await openStageInTime(subject, { ...fault.options, limits });
    const guest = await stage.connect();
    fault.before?.(guest, stage);
    const commit = async (times: number): Promise<void> => {
      for (let time = 1; time <= times; time++) {
        fault.commit(guest, stage);
        await guest.packet();
      }
    };
    await commit(3);
    await clock.advance(2_000);
    await commit(2);
    expect(await guest.heard()).toStrictEqual([]);
    await clock.advance(3_600_000);
    await commit(3);
    expect(await guest.heard()).toStrictEqual([]);
    fault.commit(guest, stage);
    expect(await guest.client.closed).toStrictEqual(ABUSE);
  });
});

describe.each(SUBJECTS)("On $name", (subject) => {
  test("all kinds of faults count together, in requests as in events", async () => {
    const { stage } = await openStageInTime(subject, { limits: THREE });
    const guest = await stage.connect();
    guest.client.send("no packet");
    guest.client.send(stage.wire.foreign(1));
    guest.say({ event: "unknown", id: 1 });
    guest.say({ event: "hub:welcome", id: 2 });
    const codes = [await guest.packet(), await guest.packet(), await guest.packet(), await guest.packet()];
    expect(codes).toMatchObject([
      { event: "hub:error", data: { code: "bad-packet" } },
      { event: "hub:error", data: { code: "unexpected-message" } },
      { reply: 1, error: { code: "unknown-event" } },
      { reply: 2, error: { code: "reserved-event" } },
    ]);
    expect(await guest.client.closed).toStrictEqual(ABUSE);
  });

  test("a message behind the last fault is not handled any more", async () => {
    const { stage } = await openStageInTime(subject, { limits: { violations: { perSecond: 1, burst: 1 } } });
    const handled: unknown[] = [];
    stage.hub.handle("n", (n) => handled.push(n));
    const guest = await stage.connect();
    guest.say({ event: "n", data: 1 });
    guest.client.send("no packet");
    guest.client.send("no packet");
    guest.say({ event: "n", data: 2 });
    expect(await guest.client.closed).toStrictEqual(ABUSE);
    const other = await stage.connect();
    await other.ask("n", 3);
    expect(handled).toStrictEqual([1, 3]);
  });

  test("a failure that is not the client's fault does not count", async () => {
    const { stage } = await openStageInTime(subject, {
      limits: { violations: { perSecond: 1, burst: 1 }, rooms: 1, messages: { perSecond: 1, burst: 20 } },
      joinable: (room) => room !== "closed",
    });
    stage.hub.handle("fail", () => {
      throw new Error("The server's own fault");
    });
    stage.hub.handle("refuse", () => {
      throw new ReplyError("invalid-data", "The application's own words");
    });
    const guest = await stage.connect();
    const ask = async (event: string, data?: unknown): Promise<unknown> => {
      const { error } = (await guest.ask(event, data)) as { readonly error?: { readonly code: string } };
      return error?.code;
    };
    for (let time = 1; time <= 3; time++) {
      expect(await ask("fail")).toBe("handler-failed");
      expect(await ask("refuse")).toBe("invalid-data");
      expect(await ask("hub:join", { room: "closed" })).toBe("not-joinable");
      expect(await ask("hub:join", { room: "open" })).toBeUndefined();
      expect(await ask("hub:join", { room: "another" })).toBe("too-many-rooms");
      guest.say({ reply: 17, data: "to a request that nobody made" });
      guest.say({ event: "hub:pong" });
    }
    expect(await guest.packet()).toMatchObject({ data: { code: "too-fast" } });
    expect(stage.hub.stats().violations).toBe(0);
    expect(guest.socket.isOpen).toBe(true);
  });
});
