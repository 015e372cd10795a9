import { describe, expect, test } from "vitest";
import { Inbox } from "../../../src/testing/inbox.ts";
import type { ClientFixture } from "../../../src/testing/suite/client-fixture.ts";
import type { HubFixture } from "../../../src/testing/suite/hub-fixture.ts";
import { openStage, openStageInTime, SUBJECTS } from "../../support/stages.ts";

const TOO_FAST = {
  event: "hub:error",
  data: {
    code: "too-fast",
    message: "You send more than this server takes. If you go on, it will close the connection.",
  },
};

const ABUSE = { code: 4005, reason: "Too much, too fast" };

/** Five at once, and one in 100 ms. */
const MESSAGES = { messages: { perSecond: 10, burst: 5 } };

describe.each(SUBJECTS)("On $name the messages of a client", (subject) => {
  test("that are too many are handled with one warning, and then close the connection", async () => {
    const { stage } = await openStageInTime(subject, { limits: MESSAGES });
    const handled = countHandled(stage);
    const guest = await stage.connect();
    for (let n = 1; n <= 12; n++) guest.say({ event: "n", id: n, data: n });
    expect(await packets(guest, 10)).toStrictEqual([...replies(1, 5), TOO_FAST, ...replies(6, 9)]);
    expect(await guest.client.closed).toStrictEqual(ABUSE);
    expect(await stage.departures.next()).toStrictEqual({ socket: guest.socket, ...ABUSE });
    expect(handled).toStrictEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(stage.failures.take()).toStrictEqual([]);
    expect(stage.hub.stats()).toMatchObject({ messagesIn: 10, violations: 0, connections: 0 });
  });

  test("pay their debt off with time", async () => {
    const { stage, clock } = await openStageInTime(subject, { limits: MESSAGES });
    const handled = countHandled(stage);
    const guest = await stage.connect();
    await say(guest, 9);
    // It owes 4; a second is worth 10, of which it may have 5.
    await clock.advance(1_000);
    await say(guest, 5);
    expect(handled).toHaveLength(14);
    expect(guest.socket.isOpen).toBe(true);
    await say(guest, 4);
    guest.say({ event: "n" });
    expect(await guest.client.closed).toStrictEqual(ABUSE);
    expect(handled).toHaveLength(18);
  });

  test("bring another warning only after the bucket was full", async () => {
    const { stage, clock } = await openStageInTime(subject, { limits: MESSAGES });
    countHandled(stage);
    const guest = await stage.connect();
    const warnings = async (count: number): Promise<number> => {
      const told = await say(guest, count);
      return told.filter((packet) => "event" in (packet as object)).length;
    };
    expect(await warnings(6)).toBe(1);
    await clock.advance(599);
    // All but a hundredth of a message is there again.
    expect(await warnings(6)).toBe(0);
    await clock.advance(611);
    expect(await warnings(5)).toBe(0);
    expect(await warnings(1)).toBe(1);
    expect(guest.socket.isOpen).toBe(true);
  });

  test("include mistakes, replies and messages that are not packets", async () => {
    const { stage } = await openStageInTime(subject, { limits: MESSAGES });
    const guest = await stage.connect();
    stage.hub.on("message", () => {});
    guest.client.send("no packet");
    guest.say({ event: "unknown" });
    guest.say({ reply: 1, data: 1 });
    guest.client.send(stage.wire.foreign(1));
    guest.say({ event: "hub:pong" });
    guest.say({ event: "hub:pong" });
    const codes = (await packets(guest, 3)).map((packet) => (packet as typeof TOO_FAST).data.code);
    expect(codes).toStrictEqual(["bad-packet", "unknown-event", "too-fast"]);
  });

  test("are counted for each client", async () => {
    const { stage } = await openStageInTime(subject, { limits: MESSAGES });
    countHandled(stage);
    const [abuser, other] = await stage.pair();
    abuser.socket.join("room");
    other.socket.join("room");
    for (let n = 1; n <= 10; n++) abuser.say({ event: "n" });
    expect(await abuser.client.closed).toStrictEqual(ABUSE);
    stage.hub.to("room").send("still here");
    expect(await other.client.next()).toBe("still here");
    expect(await say(other, 5)).toHaveLength(5);
    expect(await other.heard()).toStrictEqual([]);
    expect([...stage.hub.sockets.values()]).toStrictEqual([other.socket]);
  });
});

describe.each(SUBJECTS)("On $name the bytes of a client", (subject) => {
  test("are limited in the same way, without the header of the frame", async () => {
    const limits = { bytes: { perSecond: 1_000, burst: 1_000 } };
    const { stage, clock } = await openStageInTime(subject, { limits });
    const received = new Inbox<number>();
    stage.hub.on("message", (_socket, message) => received.push(message.length));
    const guest = await stage.connect();
    const send = async (byteLength: number): Promise<readonly unknown[]> => {
      guest.client.send(new Uint8Array(byteLength));
      expect(await received.next()).toBe(byteLength);
      return guest.heard();
    };
    const warning = [JSON.stringify(TOO_FAST)];
    expect(await send(1_000)).toStrictEqual([]);
    expect(await send(1)).toStrictEqual(warning);
    expect(await send(998)).toStrictEqual([]);
    expect(guest.socket.isOpen).toBe(true);
    // It owes 999. After this the bucket is full but for its last byte, after the next time it is full.
    await clock.advance(1_998);
    expect(await send(1)).toStrictEqual([]);
    expect(await send(999)).toStrictEqual([]);
    await clock.advance(1_001);
    expect(await send(1_000)).toStrictEqual([]);
    expect(await send(999)).toStrictEqual(warning);
    guest.client.send(new Uint8Array(1));
    expect(await guest.client.closed).toStrictEqual(ABUSE);
    expect(received.take()).toStrictEqual([]);
  });

  test("are bytes, not characters", async () => {
    // 29 characters each, in 29 and in 33 bytes.
    const { stage } = await openStageInTime(subject, { limits: { bytes: { perSecond: 1, burst: 30 } } });
    stage.hub.handle("n", () => "fine");
    const [ascii, vietnamese] = await stage.pair();
    ascii.client.send('{"event":"n","id":1,"x":"ac"}');
    vietnamese.client.send('{"event":"n","id":1,"x":"ếế"}');
    const reply = { reply: 1, data: "fine" };
    expect(await packets(ascii, 1)).toStrictEqual([reply]);
    expect(await packets(vietnamese, 2)).toStrictEqual([TOO_FAST, reply]);
  });
});

describe.each(SUBJECTS)("On $name a normal client", (subject) => {
  test("reaches no limit with 10,000 quick messages and 2,000 rooms", async () => {
    const { stage } = await openStageInTime(subject);
    const handled = countHandled(stage);
    const guest = await stage.connect();
    guest.socket.join(Array.from({ length: 2_000 }, (_, index) => `room ${index}`));
    for (let n = 1; n < 10_000; n++) guest.say({ event: "n", data: n });
    expect(await guest.ask("n", 10_000)).toStrictEqual({ reply: 1, data: 10_000 });
    expect(handled).toHaveLength(10_000);
    expect(await guest.heard()).toStrictEqual([]);
  });
});

const OVER_SOCKETS = SUBJECTS.filter((subject) => "connectRaw" in subject);

describe.each(OVER_SOCKETS)("On $name pings and pongs", (subject) => {
  test("do not count as messages", async () => {
    const stage = await openStage(subject, { limits: { messages: { perSecond: 1, burst: 1 } } });
    stage.hub.handle("n", () => "fine");
    const guest = await stage.connectRaw();
    for (let n = 0; n < 10; n++) {
      guest.frame(0x9, `ping ${n}`);
      guest.frame(0xa, "pong");
    }
    for (let n = 0; n < 10; n++) await guest.expectFrame(0xa, `ping ${n}`);
    guest.say({ event: "n", id: 1 });
    await guest.expectFrame(0x1, '{"reply":1,"data":"fine"}');
    expect(stage.hub.stats().messagesIn).toBe(1);
  });
});

/** The answers to requests whose data is their id. */
function replies(first: number, last: number): readonly unknown[] {
  return Array.from({ length: last - first + 1 }, (_, index) => ({ reply: first + index, data: first + index }));
}

/** Handles "n" and collects its data. */
function countHandled(stage: HubFixture): readonly unknown[] {
  const handled: unknown[] = [];
  stage.hub.handle("n", (data: unknown) => {
    handled.push(data);
    return data;
  });
  return handled;
}

async function packets(guest: ClientFixture, count: number): Promise<readonly unknown[]> {
  const received: unknown[] = [];
  while (received.length < count) received.push(await guest.packet());
  return received;
}

/** Sends so many requests, and returns everything that the client is told up to the last reply. */
async function say(guest: ClientFixture, count: number): Promise<readonly unknown[]> {
  for (let n = 1; n <= count; n++) guest.say({ event: "n", id: n });
  const told: unknown[] = [];
  for (let packet: unknown; (packet as { reply?: number } | undefined)?.reply !== count; told.push(packet)) {
    packet = await guest.packet();
  }
  return told;
}
