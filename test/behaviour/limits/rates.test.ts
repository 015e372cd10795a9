import { describe, expect, test, vi } from "vitest";
import { Inbox } from "../../../src/testing/inbox.ts";
import type { ClientFixture } from "../../../src/testing/suite/client-fixture.ts";
import type { HubFixture } from "../../../src/testing/suite/hub-fixture.ts";
import { openHubFixture, openHubFixtureInTime, SUBJECTS } from "../../support/hub-fixture.ts";

const FLOOD = { code: 4005, reason: "Too much, too fast" };

/** Five at once, and one in 100 ms. */
const MESSAGES = { messages: { perSecond: 10, burst: 5 } };

describe.each(SUBJECTS)("On $name the messages of a client", (subject) => {
  test("wait above the rate, and are all handled in order, without a word", async () => {
    const { fixture, clock } = await openHubFixtureInTime(subject, { limits: MESSAGES });
    const handled = countHandled(fixture);
    const peer = await fixture.connect();
    for (let n = 1; n <= 12; n++) peer.say({ event: "n", id: n, data: n });
    expect(await packets(peer, 5)).toStrictEqual(replies(1, 5));
    await until(() => fixture.hub.stats().messagesIn >= 6);
    expect(handled).toHaveLength(5);
    expect(fixture.hub.stats().pauses).toBe(1);
    await clock.advance(2_000);
    expect(await packets(peer, 7)).toStrictEqual(replies(6, 12));
    expect(handled).toStrictEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    expect(await peer.heard()).toStrictEqual([]);
    expect(fixture.hub.stats()).toMatchObject({ messagesIn: 12, violations: 0, waitingBytes: 0 });
    expect(fixture.failures.take()).toStrictEqual([]);
  });

  test("are handled at the rate, and no faster", async () => {
    const { fixture, clock } = await openHubFixtureInTime(subject, { limits: MESSAGES });
    const handled = countHandled(fixture);
    const peer = await fixture.connect();
    for (let n = 1; n <= 40; n++) peer.say({ event: "n", data: n });
    await until(() => handled.length === 5);
    for (let second = 1; second <= 3; second++) {
      await clock.advance(1_000);
      await until(() => handled.length >= 5 + 10 * (second - 1));
      expect(handled.length).toBeLessThanOrEqual(5 + 10 * second);
    }
    await clock.advance(2_000);
    await until(() => handled.length === 40);
  });

  test("wait within a bound for all connections of an address", async () => {
    const BOUND = 64 * 1024;
    const { fixture } = await openHubFixtureInTime(subject, { limits: MESSAGES, maxPendingBytes: BOUND });
    const data = "x".repeat(1024);
    const peers = await Promise.all(Array.from({ length: 4 }, async () => fixture.connect()));
    for (const peer of peers) for (let n = 0; n < 15; n++) peer.say({ event: "n", data });
    // A third of the bound holds what waits of one connection, and not that of two.
    await until(() => fixture.hub.stats().connections === 1);
    await until(() => fixture.hub.stats().messagesIn >= 30 && fixture.hub.stats().waitingBytes > 0);
    expect(fixture.hub.stats().waitingBytes).toBeLessThanOrEqual(BOUND / 3);
  });

  test("include mistakes, replies and messages that are not packets", async () => {
    const { fixture, clock } = await openHubFixtureInTime(subject, { limits: MESSAGES });
    const peer = await fixture.connect();
    fixture.hub.on("message", () => {});
    peer.client.send("no packet");
    peer.say({ event: "unknown" });
    peer.say({ reply: 1, data: 1 });
    peer.client.send(fixture.wire.foreign(1));
    peer.say({ event: "hub:pong" });
    peer.say({ event: "late" });
    const codes = (await packets(peer, 2)).map((packet) => (packet as { data: { code: string } }).data.code);
    expect(codes).toStrictEqual(["bad-packet", "unknown-event"]);
    await until(() => fixture.hub.stats().waitingBytes > 0);
    await clock.advance(1_000);
    expect(await peer.packet()).toMatchObject({ data: { code: "unknown-event" } });
  });

  test("are counted for each client", async () => {
    const { fixture } = await openHubFixtureInTime(subject, { limits: MESSAGES });
    const handled = countHandled(fixture);
    const [flooder, other] = await fixture.pair();
    for (let n = 1; n <= 10; n++) flooder.say({ event: "n" });
    await until(() => handled.length === 5);
    for (let n = 1; n <= 5; n++) other.say({ event: "n", id: n, data: n });
    expect(await packets(other, 5)).toStrictEqual(replies(1, 5));
    expect(fixture.hub.sockets.size).toBe(2);
  });

  test("that wait when it closes are handled at the rate, in order, before its end is told", async () => {
    const { fixture, clock } = await openHubFixtureInTime(subject, { limits: MESSAGES });
    const handled = countHandled(fixture);
    const told: number[] = [];
    fixture.hub.on("disconnection", () => told.push(handled.length));
    const peer = await fixture.connect();
    peer.socket.join("room");
    for (let n = 1; n <= 15; n++) peer.say({ event: "n", data: n });
    peer.client.close(4321, "done");
    await until(() => fixture.hub.stats().waitingBytes > 0);
    expect(handled).toHaveLength(5);
    // Nobody reaches it any more, and nothing waits for it.
    fixture.hub.to("room").send(new Uint8Array(1_000));
    await clock.advance(500);
    expect(handled.length).toBeLessThanOrEqual(10);
    await clock.advance(2_000);
    expect(await fixture.departures.next()).toStrictEqual({ socket: peer.socket, code: 4321, reason: "done" });
    expect(handled).toStrictEqual(Array.from({ length: 15 }, (_, index) => index + 1));
    expect(told).toStrictEqual([15]);
    expect(fixture.hub.stats()).toMatchObject({ connections: 0, waitingBytes: 0, pendingBytes: 0, rooms: 0 });
    expect(fixture.failures.take()).toStrictEqual([]);
  });

  test("that wait when it closes and then when the hub does are dropped", async () => {
    const { fixture } = await openHubFixtureInTime(subject, { limits: MESSAGES });
    const handled = countHandled(fixture);
    const peer = await fixture.connect();
    for (let n = 1; n <= 15; n++) peer.say({ event: "n", data: n });
    peer.client.close(4321);
    await until(() => fixture.hub.stats().waitingBytes > 0);
    await fixture.hub.close();
    expect(handled).toHaveLength(5);
    expect(fixture.departures.take()).toHaveLength(1);
    expect(fixture.hub.stats()).toMatchObject({ connections: 0, waitingBytes: 0 });
  });

  test("that wait are dropped with the client, and nothing is left of them", async () => {
    const { fixture, clock } = await openHubFixtureInTime(subject, { limits: MESSAGES });
    const handled = countHandled(fixture);
    const peer = await fixture.connect();
    for (let n = 1; n <= 10; n++) peer.say({ event: "n" });
    await until(() => fixture.hub.stats().waitingBytes > 0);
    peer.socket.close(4000);
    await peer.client.closed;
    await clock.advance(10_000);
    expect(handled).toHaveLength(5);
    expect(fixture.hub.stats()).toMatchObject({ waitingBytes: 0, connections: 0 });
  });
});

describe.each(SUBJECTS)("On $name a client that reconnects", (subject) => {
  test("has what it had left, not a new burst", async () => {
    const { fixture, clock } = await openHubFixtureInTime(subject, { limits: MESSAGES });
    const handled = countHandled(fixture);
    for (let connection = 0; connection < 4; connection++) {
      const peer = await fixture.connect();
      for (let n = 1; n <= 5; n++) peer.say({ event: "n" });
      await until(() => fixture.hub.stats().messagesIn > 5 * connection);
      // From here, because a client that waits is not read from, and so not seen to close.
      peer.socket.close();
      await fixture.departures.next();
    }
    expect(handled).toHaveLength(5);
    await clock.advance(500);
    const peer = await fixture.connect();
    for (let n = 1; n <= 5; n++) peer.say({ event: "n", id: n, data: n });
    expect(await packets(peer, 5)).toStrictEqual(replies(1, 5));
  });

  test("while messages of its last connection wait has no burst of its own", async () => {
    const { fixture, clock } = await openHubFixtureInTime(subject, { limits: MESSAGES });
    const handled = countHandled(fixture);
    const first = await fixture.connect();
    for (let n = 1; n <= 10; n++) first.say({ event: "n" });
    first.client.close();
    await until(() => fixture.hub.stats().waitingBytes > 0);
    const second = await fixture.connect();
    for (let n = 1; n <= 10; n++) second.say({ event: "n" });
    await until(() => fixture.hub.stats().pauses >= 2);
    expect(handled).toHaveLength(5);
    await clock.advance(1_000);
    expect(handled.length).toBeLessThanOrEqual(15 + 1);
    await clock.advance(2_000);
    await until(() => handled.length === 20);
  });

  test("beside another connection has a burst of its own", async () => {
    const { fixture } = await openHubFixtureInTime(subject, { limits: MESSAGES });
    const handled = countHandled(fixture);
    for (const peer of await fixture.pair()) for (let n = 1; n <= 5; n++) peer.say({ event: "n" });
    await until(() => handled.length === 10);
    expect(fixture.hub.stats().pauses).toBe(0);
  });
});

describe.each(SUBJECTS)("On $name the bytes of a client", (subject) => {
  test("are limited in the same way, without the header of the frame", async () => {
    const limits = { bytes: { perSecond: 1_000, burst: 1_000 } };
    const { fixture, clock } = await openHubFixtureInTime(subject, { limits });
    const received = new Inbox<number>();
    fixture.hub.on("message", (_socket, message) => received.push(message.length));
    const peer = await fixture.connect();
    const send = (byteLength: number): void => peer.client.send(new Uint8Array(byteLength));
    send(999);
    expect(await received.next()).toBe(999);
    // The last byte that is left lets a whole message through, which is a debt.
    send(500);
    expect(await received.next()).toBe(500);
    send(1);
    await until(() => fixture.hub.stats().waitingBytes > 0);
    await clock.advance(400);
    expect(received.take()).toStrictEqual([]);
    await clock.advance(200);
    expect(await received.next()).toBe(1);
  });

  test("count as a third of the memory that their data takes, if that is more", async () => {
    // Each costs far more than its bytes, which alone would pass.
    const limits = { bytes: { perSecond: 1_000, burst: 20_000 } };
    const { fixture } = await openHubFixtureInTime(subject, { limits });
    const handled = countHandled(fixture);
    const peer = await fixture.connect();
    const data = Array.from({ length: 1_000 }, () => []);
    for (let n = 1; n <= 3; n++) peer.say({ event: "n", data });
    await until(() => fixture.hub.stats().waitingBytes > 0);
    expect(handled.length).toBeLessThan(3);
  });
});

const SLOW = { limits: { messages: { perSecond: 1, burst: 1 }, waitingBytes: 10_000 } };

/** What is read when reading stops is kept, too. */
const ONE_READ = 128 * 1024;

/** Sends far more than may wait. */
function flood(peer: ClientFixture): void {
  for (let n = 0; n < 500; n++) peer.say({ event: "n", data: "x".repeat(1_000) });
}

describe.each(SUBJECTS.filter(({ name }) => name === "ws"))("On $name a client that floods", (subject) => {
  test("is not read from while it has to wait", async () => {
    const { fixture } = await openHubFixtureInTime(subject, SLOW);
    countHandled(fixture);
    const [peer, other] = await fixture.pair();
    flood(peer);
    await until(() => fixture.hub.stats().pauses === 1);
    other.say({ event: "n", id: 1, data: 1 });
    expect(await other.packet()).toStrictEqual({ reply: 1, data: 1 });
    expect(fixture.hub.stats().waitingBytes).toBeLessThan(10_000 + ONE_READ);
    expect(peer.socket.isOpen).toBe(true);
  });

  test("holds no place when it has gone, whatever waits of it", async () => {
    const heartbeat = { interval: 100, timeout: 50 };
    const fixture = await openHubFixture(subject, { ...SLOW, heartbeat });
    countHandled(fixture);
    const peer = await fixture.connect();
    flood(peer);
    await until(() => fixture.hub.stats().pauses === 1);
    peer.client.vanish();
    await until(() => fixture.hub.stats().connections === 0);
    expect(fixture.hub.stats().waitingBytes).toBe(0);
  });
});

// While messages wait, ws does not read on, and so sees no close.
describe.each(SUBJECTS.filter(({ name }) => name !== "ws"))("On $name the messages of a client", (subject) => {
  test("that wait when it closes are handled for ten seconds at most", async () => {
    const { fixture, clock } = await openHubFixtureInTime(subject, {
      limits: { messages: { perSecond: 1, burst: 1 } },
    });
    const handled = countHandled(fixture);
    const peer = await fixture.connect();
    for (let n = 1; n <= 15; n++) peer.say({ event: "n", data: n });
    await until(() => fixture.hub.stats().messagesIn === 15);
    peer.client.close(4321);
    await peer.client.closed;
    await clock.advance(11_000);
    expect(await fixture.departures.next()).toMatchObject({ code: 4321 });
    expect(handled.length).toBeLessThan(15);
    expect(handled.length).toBeGreaterThan(8);
    expect(fixture.hub.stats()).toMatchObject({ connections: 0, waitingBytes: 0 });
  });
});

describe.each(SUBJECTS.filter(({ name }) => name !== "ws"))("On $name a client that floods", (subject) => {
  test("is closed with 4005, because reading from it cannot stop", async () => {
    const { fixture } = await openHubFixtureInTime(subject, SLOW);
    countHandled(fixture);
    const [peer, other] = await fixture.pair();
    flood(peer);
    expect(await peer.client.closed).toStrictEqual(FLOOD);
    expect(fixture.hub.stats().waitingBytes).toBe(0);
    other.say({ event: "n", id: 1, data: 1 });
    expect(await other.packet()).toStrictEqual({ reply: 1, data: 1 });
  });
});

describe.each(SUBJECTS.filter(({ name }) => name !== "ws"))("On $name messages of one byte", (subject) => {
  test("count with what is kept for each of them", async () => {
    const { fixture } = await openHubFixtureInTime(subject, SLOW);
    const peer = await fixture.connect();
    for (let n = 0; n < 100; n++) peer.client.send("1");
    expect(await peer.client.closed).toStrictEqual(FLOOD);
    expect(fixture.hub.stats().messagesIn).toBeLessThan(100);
  });
});

describe.each(SUBJECTS)("On $name a normal client", (subject) => {
  test("reaches no limit with 2,000 quick messages and 2,000 rooms", async () => {
    const { fixture } = await openHubFixtureInTime(subject);
    const handled = countHandled(fixture);
    const peer = await fixture.connect();
    peer.socket.join(Array.from({ length: 2_000 }, (_, index) => `room ${index}`));
    for (let n = 1; n < 2_000; n++) peer.say({ event: "n", data: n });
    expect(await peer.ask("n", 2_000)).toStrictEqual({ reply: 1, data: 2_000 });
    expect(handled).toHaveLength(2_000);
    expect(await peer.heard()).toStrictEqual([]);
    expect(fixture.hub.stats().pauses).toBe(0);
  });
});

const OVER_SOCKETS = SUBJECTS.filter((subject) => "connectRaw" in subject);

describe.each(OVER_SOCKETS)("On $name pings and pongs", (subject) => {
  test("are answered within the rate of messages", async () => {
    const fixture = await openHubFixture(subject);
    fixture.hub.handle("n", () => "fine");
    const peer = await fixture.connectRaw();
    for (let n = 0; n < 10; n++) {
      peer.frame(0x9, `ping ${n}`);
      peer.frame(0xa, "pong");
    }
    for (let n = 0; n < 10; n++) await peer.expectFrame(0xa, `ping ${n}`);
    peer.say({ event: "n", id: 1 });
    await peer.expectFrame(0x1, '{"reply":1,"data":"fine"}');
    expect(fixture.hub.stats().messagesIn).toBe(1);
  });
});

/** Waits for what other processes and the network take their time for. */
async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(condition()).toBe(true), { interval: 5, timeout: 10_000 });
}

/** The answers to requests whose data is their id. */
function replies(first: number, last: number): readonly unknown[] {
  return Array.from({ length: last - first + 1 }, (_, index) => ({ reply: first + index, data: first + index }));
}

/** Handles "n" and collects its data. */
function countHandled(fixture: HubFixture): readonly unknown[] {
  const handled: unknown[] = [];
  fixture.hub.handle("n", (data: unknown) => {
    handled.push(data);
    return data;
  });
  return handled;
}

async function packets(peer: ClientFixture, count: number): Promise<readonly unknown[]> {
  const received: unknown[] = [];
  while (received.length < count) received.push(await peer.packet());
  return received;
}
