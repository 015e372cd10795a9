import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { ControlEvent } from "../../protocol/packet.ts";
import { Inbox } from "../inbox.ts";
import { rawRequest, UPGRADE_HEADERS } from "../raw-client.ts";
import type { ClientFixture } from "./client-fixture.ts";
import type { HubFixture } from "./hub-fixture.ts";
import { connectLibraryClient, connectWithoutHello, nextPacket } from "./library-clients.ts";
import type { Suite } from "./suite.ts";

/** Options of a drain whose limit is longer than any test, so that a drain that waits for the limit fails. */
const LONG = { within: 3_600_000, spread: 500 };

/** The packet that all clients get. */
const BYE = { event: ControlEvent.bye, data: { reconnect: true, after: 0, spread: 500 } };

/** More than a socket has to read that is closed without ado, and less than the messages of one socket may take. */
const LARGE = 900_000;

const DRAINED = { code: 4200, reason: "The server is shutting down" };

/** The end of a hub by `hub.drain`. */
export function drainCases(suite: Suite): void {
  suite.test("hub.drain tells all clients when to reconnect, and closes them with 4200", async (fixture) => {
    const peers = await fixture.trio();
    const gone: number[] = [];
    fixture.hub.on("disconnection", (_socket, { code }) => gone.push(code));
    await fixture.hub.drain(LONG);
    assert.deepEqual(gone, [4200, 4200, 4200]);
    const heard = await Promise.all(peers.map((peer) => peer.rest()));
    assert.deepEqual(
      heard,
      Array.from({ length: 3 }, () => [fixture.wire.heard(BYE)]),
    );
    const endings = await Promise.all(peers.map(({ client }) => client.closed));
    assert.deepEqual(endings, [DRAINED, DRAINED, DRAINED]);
    assert.throws(() => fixture.hub.emit("a"), { code: "ERR_HUB_CLOSED" });
  });

  suite.test("hub.drain tells library clients, and closes those that have not sent hub:hello", async (fixture) => {
    const [member, newcomer] = [await connectLibraryClient(fixture), await connectWithoutHello(fixture)];
    await fixture.hub.drain(LONG);
    assert.deepEqual([await nextPacket(member), await nextPacket(member)], [BYE, undefined]);
    assert.equal(await nextPacket(newcomer), undefined);
    assert.deepEqual([await member.closed, await newcomer.closed], [DRAINED, DRAINED]);
    assert.equal(fixture.departures.take().length, 1);
  });

  suite.test("hub.drain lets handlers finish, and handles messages meanwhile", async (fixture) => {
    const { peer, finish } = await connectAtWork(fixture);
    fixture.hub.handle("quick", () => "quick");
    const drained = fixture.hub.drain(LONG);
    assert.deepEqual(await peer.packet(), BYE);
    peer.say({ event: "quick", id: 2 });
    assert.deepEqual(await peer.packet(), { reply: 2, data: "quick" });
    finish();
    assert.deepEqual(await peer.packet(), { reply: 1, data: "done" });
    assert.deepEqual(await peer.client.closed, DRAINED);
    await drained;
  });

  suite.test("hub.drain waits for the replies to the server's requests", async (fixture) => {
    const peer = await fixture.connect();
    const heard = peer.socket.request("question", null).then((answer) => peer.socket.emit("heard", answer));
    const asked = (await peer.packet()) as { readonly id: number };
    const drained = fixture.hub.drain(LONG);
    assert.deepEqual(await peer.packet(), BYE);
    peer.say({ reply: asked.id, data: 42 });
    assert.deepEqual(await peer.packet(), { event: "heard", data: 42 });
    assert.deepEqual(await peer.client.closed, DRAINED);
    await Promise.all([heard, drained]);
  });

  suite.test("hub.drain waits no longer than its option within", async (fixture) => {
    const { peer } = await connectAtWork(fixture);
    const idle = await fixture.connect();
    const asked = assert.rejects(peer.socket.request("never answered", null), { code: "ERR_HUB_CLOSED" });
    await fixture.hub.drain({ ...LONG, within: 30 });
    await asked;
    assert.deepEqual(await peer.client.closed, DRAINED);
    assert.deepEqual(await idle.client.closed, DRAINED);
    const departures = fixture.departures.take().map(({ socket, code }) => [socket, code]);
    assert.deepEqual(departures, [
      [idle.socket, 4200],
      [peer.socket, 4200],
    ]);
    assert.deepEqual(fixture.failures.take(), []);
  });

  suite.test("hub.drain waits for a client that has not read everything", async (fixture) => {
    const [healthy, stalled] = await fixture.pair();
    stalled.client.pause();
    stalled.socket.send(new Uint8Array(LARGE));
    let isOver = false;
    const drained = fixture.hub.drain(LONG).then(() => (isOver = true));
    assert.deepEqual(await healthy.client.closed, DRAINED);
    const departures = new Set(fixture.departures.take().map(({ socket, code }) => [socket.id, code].join(" ")));
    assert.deepEqual(departures, new Set([`${healthy.socket.id} 4200`, `${stalled.socket.id} 4200`]));
    // Longer than a client is given that has nothing to read.
    await delay(1_200);
    assert.equal(isOver, false);
    stalled.client.resume();
    const message = await stalled.client.next();
    assert.equal(message?.length, LARGE);
    assert.deepEqual(await stalled.packet(), BYE);
    assert.deepEqual(await stalled.client.closed, DRAINED);
    await drained;
  });

  suite.test("hub.drain waits no longer than it may for a client that does not read", async (fixture) => {
    const stalled = await fixture.connect();
    stalled.client.pause();
    stalled.socket.send(new Uint8Array(LARGE));
    await fixture.hub.drain({ within: 1, spread: 1 });
    assert.equal((await fixture.departures.next())?.code, 4200);
  });

  suite.test("while hub.drain waits, new clients are refused with 503", async (fixture) => {
    const { finish } = await connectAtWork(fixture);
    const drained = fixture.hub.drain(LONG);
    await assert.rejects(fixture.dial().opened, { status: 503 });
    finish();
    await drained;
  });

  suite.raw("while hub.drain waits, new clients are told when to retry", async (fixture) => {
    const { finish } = await connectAtWork(fixture);
    const drained = fixture.hub.drain(LONG);
    const late = await fixture.dialRaw();
    late.write(rawRequest("/", UPGRADE_HEADERS));
    const response = await late.response();
    assert.equal(response?.status, 503);
    assert.match(response.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    finish();
    await drained;
  });

  const asked = new Inbox<void>();
  suite.test(
    "hub.drain refuses clients that are being authenticated with 503",
    {
      authenticate: ({ url }) => {
        if (url === "/in") return { id: "ann" };
        asked.push();
        return new Promise<never>(() => {});
      },
    },
    async (fixture) => {
      const { finish } = await connectAtWork(fixture);
      const undecided = fixture.dial();
      await asked.next();
      const drained = fixture.hub.drain(LONG);
      await assert.rejects(undecided.opened, { status: 503 });
      finish();
      await drained;
      assert.equal(fixture.connected.length, 1);
    },
  );

  suite.test("hub.close ends a drain at once", async (fixture) => {
    const { peer } = await connectAtWork(fixture);
    const drained = fixture.hub.drain(LONG);
    assert.deepEqual(await peer.packet(), BYE);
    await fixture.hub.close();
    await drained;
    assert.deepEqual(await peer.client.closed, DRAINED);
    assert.deepEqual(await peer.rest(), []);
  });

  suite.test("hub.drain called twice drains once, and does nothing after hub.close", async (fixture) => {
    const { peer, finish } = await connectAtWork(fixture);
    const drains = Promise.all([fixture.hub.drain(LONG), fixture.hub.drain({ within: 1, spread: 1 })]);
    assert.deepEqual(await peer.packet(), BYE);
    finish();
    await drains;
    assert.deepEqual(await peer.rest(), [fixture.wire.heard({ reply: 1, data: "done" })]);
    await fixture.hub.close();
    await fixture.hub.drain(LONG);
    assert.equal(fixture.departures.take().length, 1);
  });
}

/** Connects a client whose request is in a handler until the test lets that finish. */
async function connectAtWork(
  fixture: HubFixture,
): Promise<{ readonly peer: ClientFixture; readonly finish: () => void }> {
  const work = new Inbox<() => void>();
  fixture.hub.handle("work", () => new Promise((resolve) => work.push(() => resolve("done"))));
  const peer = await fixture.connect({ url: "/in" });
  peer.say({ event: "work", id: 1 });
  const finish = await work.next();
  assert.ok(finish !== undefined);
  return { peer, finish };
}
