import assert from "node:assert/strict";
import { ControlEvent } from "../../protocol/packet.ts";
import { Inbox } from "../inbox.ts";
import { rawRequest, UPGRADE_HEADERS } from "../raw-client.ts";
import { approach, enter, told } from "./library-clients.ts";
import type { ClientFixture } from "./client-fixture.ts";
import { useUp, type HubFixture } from "./hub-fixture.ts";
import type { Suite } from "./suite.ts";

/** Longer than any test: a drain that waits for its end fails. */
const LONG = { within: 3_600_000, spread: 500 };

/** What everybody is told then. */
const BYE = { event: ControlEvent.bye, data: { reconnect: true, after: 0, spread: 500 } };

const DRAINED = { code: 4200, reason: "The server is shutting down" };

/** The end of the hub. */
export function shutdownCases(suite: Suite): void {
  suite.test("hub.close closes everybody with 1001 after what was sent, and settles all requests", async (fixture) => {
    const [a, b, c] = await fixture.trio();
    const gone: number[] = [];
    fixture.hub.on("disconnection", (_socket, { code }) => gone.push(code));
    const asked = a.socket.request("never answered", null);
    const askedOfMany = fixture.hub.request("never answered", null);
    const rejected = assert.rejects(asked, { code: "ERR_HUB_CLOSED" });
    fixture.hub.send("last words");
    await Promise.all([fixture.hub.close(), fixture.hub.close()]);
    assert.deepEqual(gone, [1001, 1001, 1001]);
    await rejected;
    const { failures } = await askedOfMany;
    assert.deepEqual(
      [...failures.values()].map(({ code }) => code),
      Array.from({ length: 3 }, () => "ERR_HUB_CLOSED"),
    );
    for (const messages of [await a.rest(), await b.rest(), await c.rest()]) {
      assert.equal(messages.at(-1), "last words");
    }
    const codes = [await a.client.closed, await b.client.closed, await c.client.closed].map(({ code }) => code);
    assert.deepEqual(codes, [1001, 1001, 1001]);
  });

  suite.test("a closed hub refuses everything", async (fixture) => {
    const peer = await fixture.connect();
    const { hub } = fixture;
    await hub.close();
    assert.throws(() => hub.emit("a"), { code: "ERR_HUB_CLOSED" });
    assert.throws(() => hub.to("x").send("a"), { code: "ERR_HUB_CLOSED" });
    await assert.rejects(hub.request("a", null), { code: "ERR_HUB_CLOSED" });
    await assert.rejects(hub.listen(), { code: "ERR_HUB_CLOSED" });
    await assert.rejects(fixture.dial().opened);
    useUp(peer.socket);
    assert.equal(fixture.connected.length, 1);
    assert.equal(hub.sockets.size, 0);
  });

  suite.test("hub.close inside a handler closes whom it handles", async (fixture) => {
    const [peer, other] = await fixture.pair();
    const handled: unknown[] = [];
    fixture.hub.handle("stop", async (n) => {
      handled.push(n);
      await fixture.hub.close();
    });
    for (const n of [1, 2, 3]) peer.say({ event: "stop", data: n });
    assert.equal((await peer.client.closed).code, 1001);
    assert.equal((await other.client.closed).code, 1001);
    await fixture.hub.close();
    assert.deepEqual(handled, [1]);
  });

  suite.test("hub.close inside connection closes who has just come", async (fixture) => {
    fixture.hub.once("connection", () => fixture.hub.close());
    const client = fixture.dial();
    assert.equal((await fixture.departures.next())?.code, 1001);
    assert.equal((await client.closed).code, 1001);
    await fixture.hub.close();
    assert.equal(fixture.hub.sockets.size, 0);
  });

  suite.raw("hub.close does not need clients that answer", async (fixture) => {
    const peer = await fixture.connectRaw();
    await fixture.hub.close();
    assert.deepEqual(await fixture.departures.next(), {
      socket: peer.socket,
      code: 1001,
      reason: "The server is going away",
    });
    assert.deepEqual((await peer.rest()).length, 1);
  });

  suite.test("hub.drain tells everybody when to come back, and closes them with 4200", async (fixture) => {
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

  suite.test("hub.drain tells library clients, and sends away who has not said hello", async (fixture) => {
    const [member, newcomer] = [await enter(fixture), await approach(fixture)];
    await fixture.hub.drain(LONG);
    assert.deepEqual([await told(member), await told(member)], [BYE, undefined]);
    assert.equal(await told(newcomer), undefined);
    assert.deepEqual([await member.closed, await newcomer.closed], [DRAINED, DRAINED]);
    assert.equal(fixture.departures.take().length, 1);
  });

  suite.test("hub.drain lets handlers finish, and handles what is sent meanwhile", async (fixture) => {
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

  suite.test("hub.drain waits for the replies that the server asked for", async (fixture) => {
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

  suite.test("hub.drain waits no longer than it may", async (fixture) => {
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

  suite.test("hub.drain does not wait for a client that does not read", async (fixture) => {
    const [healthy, stalled] = await fixture.pair();
    stalled.client.pause();
    stalled.socket.send(new Uint8Array(900_000));
    await fixture.hub.drain(LONG);
    assert.deepEqual(await healthy.client.closed, DRAINED);
    const departures = new Set(fixture.departures.take().map(({ socket, code }) => [socket.id, code].join(" ")));
    assert.deepEqual(departures, new Set([`${healthy.socket.id} 4200`, `${stalled.socket.id} 4200`]));
  });

  suite.test("while hub.drain waits, whoever comes is refused with 503", async (fixture) => {
    const { finish } = await connectAtWork(fixture);
    const drained = fixture.hub.drain(LONG);
    await assert.rejects(fixture.dial().opened, { status: 503 });
    finish();
    await drained;
  });

  suite.raw("while hub.drain waits, whoever comes is told when to try again", async (fixture) => {
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
    "hub.drain refuses those who are being authenticated with 503",
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

  suite.test("hub.drain is one drain however often it is asked for, and none after hub.close", async (fixture) => {
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

/** A peer whose request has come to a handler that waits for the test. */
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
