import { describe, expect, test } from "vitest";
import { Inbox } from "../../src/testing/inbox.ts";
import type { ClientFixture } from "../../src/testing/suite/client-fixture.ts";
import type { HubFixture } from "../../src/testing/suite/hub-fixture.ts";
import { collectGarbage } from "../support/held-bytes.ts";
import { openHubFixture, openHubFixtureInTime, SUBJECTS } from "../support/hub-fixture.ts";

interface HeldGuard {
  readonly asked: Inbox<(verdict: boolean) => void>;
  readonly joinable: () => Promise<boolean>;
}

/** A guard whose answers the test gives: `true` joins or leaves the room. */
function heldGuard(): HeldGuard {
  const asked = new Inbox<(verdict: boolean) => void>();
  return { asked, joinable: () => new Promise<boolean>((resolve) => asked.push(resolve)) };
}

/** A guard that never answers. */
const never = { joinable: () => new Promise<boolean>(() => {}) };

/** Notes what is handled of the event "say", with the rooms that the socket is in then. */
function handleSay(fixture: HubFixture): unknown[] {
  const handled: unknown[] = [];
  fixture.hub.handle("say", (data, { rooms }) => {
    handled.push([data, ...rooms]);
    return data;
  });
  return handled;
}

/** Waits until so many messages of all clients have come. */
async function arrived({ hub }: HubFixture, count: number): Promise<void> {
  await expect.poll(() => hub.stats().messagesIn).toBe(count);
}

function join(peer: ClientFixture, id: number, ...rooms: readonly string[]): void {
  peer.say({ event: "hub:join", id, data: { rooms } });
}

describe.each(SUBJECTS)("On $name what a client sends after a request for rooms", (subject) => {
  test("waits until ten seconds after the request, however late it comes itself", async () => {
    const { fixture, clock } = await openHubFixtureInTime(subject, never);
    const handled = handleSay(fixture);
    const peer = await fixture.connect();
    join(peer, 1, "lost");
    await arrived(fixture, 1);
    await clock.advance(6_000);
    peer.say({ event: "say", id: 2, data: "one" });
    await arrived(fixture, 2);
    await clock.advance(3_000);
    expect(handled).toStrictEqual([]);
    await clock.advance(2_000);
    expect(await peer.packet()).toStrictEqual({ reply: 2, data: "one" });
    // From now on, nothing waits for that request.
    expect(await peer.ask("say", "two")).toStrictEqual({ reply: 1, data: "two" });
    join(peer, 3, "behind the lost one");
    expect(await peer.ask("say", "three")).toStrictEqual({ reply: 1, data: "three" });
    expect(handled).toStrictEqual([["one"], ["two"], ["three"]]);
  });

  test("waits for each request anew that comes when the earlier ones were decided", async () => {
    const { asked, joinable } = heldGuard();
    const { fixture, clock } = await openHubFixtureInTime(subject, { joinable });
    const handled = handleSay(fixture);
    const peer = await fixture.connect();
    join(peer, 1, "slow");
    await arrived(fixture, 1);
    await clock.advance(20_000);
    (await asked.next())?.(true);
    expect(await peer.packet()).toStrictEqual({ reply: 1 });
    join(peer, 2, "next");
    peer.say({ event: "say", id: 3, data: "after" });
    await arrived(fixture, 3);
    await clock.advance(9_000);
    expect(handled).toStrictEqual([]);
    (await asked.next())?.(true);
    expect(await peer.packet()).toStrictEqual({ reply: 2 });
    expect(await peer.packet()).toStrictEqual({ reply: 3, data: "after" });
    expect(handled).toStrictEqual([["after", "slow", "next"]]);
  });

  test("costs the client nothing when more of it waits than may, and is handled in its order", async () => {
    const { fixture, clock } = await openHubFixtureInTime(subject, { ...never, limits: { waitingBytes: 10_000 } });
    const handled = handleSay(fixture);
    const peer = await fixture.connect();
    join(peer, 1, "tea");
    const filling = "x".repeat(1_000);
    for (let n = 0; n < 300; n++) peer.say({ event: "say", data: `${n} ${filling}` });
    peer.say({ event: "say", id: 2, data: "last" });
    // A transport that can pause the client keeps the order as long as ever, and the others do not.
    const canPause = subject.name === "ws";
    const { hub } = fixture;
    await expect.poll(() => (canPause ? hub.stats().waitingBytes > 10_000 : handled.length > 0)).toBe(true);
    await clock.advance(9_000);
    expect(handled.length === 0).toBe(canPause);
    await clock.advance(2_000);
    expect(await peer.packet()).toStrictEqual({ reply: 2, data: "last" });
    const texts = Array.from({ length: 300 }, (_, n) => [`${n} ${filling}`]);
    expect(handled).toStrictEqual([...texts, ["last"]]);
    expect(fixture.hub.stats()).toMatchObject({ violations: 0, waitingBytes: 0, connections: 1 });
  });

  test("costs no client its connection when the clients of one address may not let more wait", async () => {
    const { fixture } = await openHubFixtureInTime(subject, { ...never, maxPendingBytes: 60_000 });
    const handled = handleSay(fixture);
    const peers = await fixture.trio();
    const filling = "x".repeat(1_000);
    let count = 0;
    for (const peer of peers) {
      join(peer, 1, "tea");
      await arrived(fixture, ++count);
    }
    for (let n = 0; n < 30; n++) for (const peer of peers) peer.say({ event: "say", id: n, data: filling });
    await arrived(fixture, count + 90);
    for (const peer of peers) peer.say({ event: "say", id: 99, data: "last" });
    await arrived(fixture, count + 93);
    expect(fixture.departures.take()).toStrictEqual([]);
    expect(handled.length).toBeGreaterThan(0);
    expect(fixture.hub.stats()).toMatchObject({ violations: 0, connections: 3 });
  });
});

// The clients of the other transports are remembered by the test itself, or for some seconds.
describe.each(SUBJECTS.filter(({ name }) => name === "ws"))("On $name a client that asked for rooms", (subject) => {
  test("is forgotten once it has gone, whether or not it was answered", async () => {
    const fixture = await openHubFixture(subject, never);
    const sockets: WeakRef<object>[] = [];
    fixture.hub.on("connection", (socket) => sockets.push(new WeakRef(socket)));
    for (let n = 1; n <= 5; n++) await leaveBehind(fixture, n);
    // The fixture itself knows the sockets.
    fixture.connected.splice(0);
    const remembered = (): object[] => {
      collectGarbage();
      return sockets.filter((socket) => socket.deref() !== undefined);
    };
    await expect.poll(remembered).toStrictEqual([]);
    expect(sockets).toHaveLength(5);
  });
});

/** Connects a client that asks for a room, and closes. It is not asked for with a ticket, which the fixture would keep. */
async function leaveBehind(fixture: HubFixture, messages: number): Promise<void> {
  const client = fixture.dial();
  await client.opened;
  client.send(fixture.wire.codec.encode({ event: "hub:join", data: { rooms: ["lost"] } }));
  await arrived(fixture, messages);
  client.close();
  await fixture.departures.next();
}
