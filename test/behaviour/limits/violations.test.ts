import { defineContract, ReplyError, type HubOptions } from "roomcast";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { ClientFixture } from "../../../src/testing/suite/client-fixture.ts";
import type { HubFixture } from "../../../src/testing/suite/hub-fixture.ts";
import { openHubFixtureInTime, SUBJECTS } from "../../support/hub-fixture.ts";

const ABUSE = { code: 4005, reason: "Too much that is wrong" };
const THREE = { violations: { perSecond: 1, burst: 3 } };

const contract = defineContract({ client: { chat: z.string() }, server: {} });

/** A message that is the client's fault, what the hub has to be like for it, and what the client is told. */
interface Fault {
  readonly code: string;
  readonly options?: HubOptions;
  /** Called once for the client before. */
  readonly before?: (peer: ClientFixture, fixture: HubFixture) => void;
  readonly commit: (peer: ClientFixture, fixture: HubFixture) => void;
}

const FAULTS: readonly Fault[] = [
  { code: "bad-packet", commit: (peer) => peer.client.send("no packet") },
  { code: "unexpected-message", commit: (peer, { wire }) => peer.client.send(wire.foreign(1)) },
  { code: "unknown-event", commit: (peer) => peer.say({ event: "nobody handles this" }) },
  { code: "reserved-event", commit: (peer) => peer.say({ event: "hub:welcome" }) },
  {
    code: "invalid-data",
    options: { contract: contract as NonNullable<HubOptions["contract"]> },
    before: (_guest, { hub }) => hub.handle("chat", () => {}),
    commit: (peer) => peer.say({ event: "chat", data: 7 }),
  },
];

const CASES = SUBJECTS.flatMap((subject) => FAULTS.map((fault) => ({ subject, fault, on: subject.name })));

describe.each(CASES)("A client that is told $fault.code on $on", ({ subject, fault }) => {
  const limits = THREE;

  test("is closed the fourth time", async () => {
    const { fixture } = await openHubFixtureInTime(subject, { ...fault.options, limits });
    const peer = await fixture.connect();
    const other = await fixture.connect();
    fault.before?.(peer, fixture);
    for (let time = 1; time <= 4; time++) {
      fault.commit(peer, fixture);
      expect(await peer.packet()).toMatchObject({ event: "hub:error", data: { code: fault.code } });
    }
    expect(await peer.client.closed).toStrictEqual(ABUSE);
    expect(await fixture.departures.next()).toStrictEqual({ socket: peer.socket, ...ABUSE });
    expect(fixture.hub.stats().violations).toBe(4);
    expect(fixture.failures.take()).toStrictEqual([]);
    expect(await other.heard()).toStrictEqual([]);
  });

  test("is forgiven with time", async () => {
    const { fixture, clock } = await openHubFixtureInTime(subject, { ...fault.options, limits });
    const peer = await fixture.connect();
    fault.before?.(peer, fixture);
    const commit = async (times: number): Promise<void> => {
      for (let time = 1; time <= times; time++) {
        fault.commit(peer, fixture);
        await peer.packet();
      }
    };
    await commit(3);
    await clock.advance(2_000);
    await commit(2);
    expect(await peer.heard()).toStrictEqual([]);
    await clock.advance(3_600_000);
    await commit(3);
    expect(await peer.heard()).toStrictEqual([]);
    fault.commit(peer, fixture);
    expect(await peer.client.closed).toStrictEqual(ABUSE);
  });
});

describe.each(SUBJECTS)("On $name", (subject) => {
  test("all kinds of faults count together, in requests as in events", async () => {
    const { fixture } = await openHubFixtureInTime(subject, { limits: THREE });
    const peer = await fixture.connect();
    peer.client.send("no packet");
    peer.client.send(fixture.wire.foreign(1));
    peer.say({ event: "unknown", id: 1 });
    peer.say({ event: "hub:welcome", id: 2 });
    const codes = [await peer.packet(), await peer.packet(), await peer.packet(), await peer.packet()];
    expect(codes).toMatchObject([
      { event: "hub:error", data: { code: "bad-packet" } },
      { event: "hub:error", data: { code: "unexpected-message" } },
      { reply: 1, error: { code: "unknown-event" } },
      { reply: 2, error: { code: "reserved-event" } },
    ]);
    expect(await peer.client.closed).toStrictEqual(ABUSE);
  });

  test("a message behind the last fault is not handled any more", async () => {
    const { fixture } = await openHubFixtureInTime(subject, { limits: { violations: { perSecond: 1, burst: 1 } } });
    const handled: unknown[] = [];
    fixture.hub.handle("n", (n) => handled.push(n));
    const peer = await fixture.connect();
    peer.say({ event: "n", data: 1 });
    peer.client.send("no packet");
    peer.client.send("no packet");
    peer.say({ event: "n", data: 2 });
    expect(await peer.client.closed).toStrictEqual(ABUSE);
    const other = await fixture.connect();
    await other.ask("n", 3);
    expect(handled).toStrictEqual([1, 3]);
  });

  test("a failure of the server counts a tenth, and what the application refuses does not count", async () => {
    const { fixture } = await openHubFixtureInTime(subject, {
      limits: { violations: { perSecond: 1, burst: 1 }, rooms: 1 },
      joinable: (room) => room !== "closed",
    });
    fixture.hub.handle("fail", () => {
      throw new Error("The server's own fault");
    });
    fixture.hub.handle("refuse", () => {
      throw new ReplyError("invalid-data", "The application's own words");
    });
    const peer = await fixture.connect();
    const ask = async (event: string, data?: unknown): Promise<unknown> => {
      const { error } = (await peer.ask(event, data)) as { readonly error?: { readonly code: string } };
      return error?.code;
    };
    for (let time = 1; time <= 3; time++) {
      expect(await ask("fail")).toBe("handler-failed");
      expect(await ask("refuse")).toBe("invalid-data");
      expect(await ask("hub:join", { room: "closed" })).toBe("not-joinable");
      expect(await ask("hub:join", { room: "open" })).toBeUndefined();
      expect(await ask("hub:join", { room: "another" })).toBe("too-many-rooms");
      peer.say({ reply: 17, data: "to a request that nobody made" });
      peer.say({ event: "hub:pong" });
    }
    expect(fixture.hub.stats().violations).toBe(0);
    expect(peer.socket.isOpen).toBe(true);
    expect(await ask("fail")).toBe("handler-failed");
    peer.say({ event: "fail", id: 1 });
    expect(await peer.client.closed).toStrictEqual(ABUSE);
  });

  test("a request for several rooms counts as one, is answered once, and what failed is reported once", async () => {
    const { fixture } = await openHubFixtureInTime(subject, {
      limits: { violations: { perSecond: 1, burst: 1 } },
      joinable: (room) => {
        if (room.startsWith("closed")) return false;
        throw new Error(room);
      },
    });
    const peer = await fixture.connect();
    const rooms = [...named("closed", 40), ...named("broken", 60)];
    // The guard fails for ten requests of a hundred rooms each, as it may while its database is down.
    for (let time = 1; time <= 5; time++) {
      const { data } = (await peer.ask("hub:join", { rooms })) as { readonly data: { readonly refused: unknown[] } };
      expect(data.refused).toHaveLength(100);
      peer.say({ event: "hub:join", data: { rooms } });
      expect(await peer.packet()).toMatchObject({
        event: "hub:error",
        data: { code: "not-joinable", room: "closed 0" },
      });
    }
    expect(await peer.heard()).toStrictEqual([]);
    const failures = fixture.failures.take().map(({ error, context }) => [(error as Error).message, context.source]);
    expect(failures).toStrictEqual(Array.from({ length: 10 }, () => ["broken 0", "joinable"]));
    expect(fixture.hub.stats()).toMatchObject({ handlerErrors: 600, violations: 0 });
    peer.say({ event: "hub:join", id: 1, data: { rooms } });
    expect(await peer.client.closed).toStrictEqual(ABUSE);
  });

  test.each([
    ["a room", { room: "" }],
    ["one of several rooms", { rooms: ["tea", ""] }],
    ["rooms that are no list", { rooms: "tea" }],
  ])("an impossible name of %s counts as any other fault, and a code of the guard's own does not", async (_, data) => {
    const { fixture } = await openHubFixtureInTime(subject, {
      limits: THREE,
      joinable: (room) => {
        if (room === "tea") return true;
        throw new ReplyError("invalid-data", "The application's own words");
      },
    });
    const peer = await fixture.connect();
    for (let time = 1; time <= 50; time++) {
      await peer.ask("hub:join", { room: "milk" });
      await peer.ask("hub:join", { rooms: ["tea", "milk"] });
    }
    for (let time = 1; time <= 3; time++)
      expect(JSON.stringify(await peer.ask("hub:join", data))).toContain("invalid-data");
    expect(await peer.heard()).toStrictEqual([]);
    expect(fixture.hub.stats()).toMatchObject({ violations: 3, handlerErrors: 0 });
    peer.say({ event: "hub:join", id: 1, data });
    expect(await peer.client.closed).toStrictEqual(ABUSE);
  });
});

function named(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index}`);
}

const OVER_SOCKETS = SUBJECTS.filter((subject) => subject.name !== "memory");

describe.each(OVER_SOCKETS)("On $name an address that reconnects after each close with 4005", (subject) => {
  test("is refused with 429 from the eighth on, until its debts are paid", async () => {
    const limits = { violations: { perSecond: 1, burst: 1 } };
    const { fixture, clock } = await openHubFixtureInTime(subject, { limits });
    // They connect at the same time, because the next one would take over what the last one left.
    const peers = await Promise.all(Array.from({ length: 8 }, () => fixture.connect()));
    for (const peer of peers) {
      peer.client.send("no packet");
      peer.client.send("no packet");
      expect(await peer.client.closed).toStrictEqual(ABUSE);
    }
    await expect(fixture.connect()).rejects.toMatchObject({ status: 429 });
    await clock.advance(3_000);
    expect((await fixture.connect()).socket.isOpen).toBe(true);
  });
});
