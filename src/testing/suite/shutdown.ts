import assert from "node:assert/strict";
import { ControlEvent } from "../../protocol/packet.ts";
import { Inbox } from "../inbox.ts";
import { rawRequest, UPGRADE_HEADERS } from "../raw-client.ts";
import { approach, enter, told } from "./enter.ts";
import type { Guest } from "./guest.ts";
import { useUp, type Stage } from "./stage.ts";
import type { Suite } from "./suite.ts";

/** Longer than any test: a drain that waits for its end fails. */
const LONG = { within: 3_600_000, spread: 500 };

/** What everybody is told then. */
const BYE = { event: ControlEvent.bye, data: { reconnect: true, after: 0, spread: 500 } };

const DRAINED = { code: 4200, reason: "The server is shutting down" };

/** The end of the hub. */
export function shutdownCases(suite: Suite): void {
  suite.test("hub.close closes everybody with 1001 after what was sent, and settles all requests", async (stage) => {
    const [a, b, c] = await stage.trio();
    const gone: number[] = [];
    stage.hub.on("disconnection", (_socket, { code }) => gone.push(code));
    const asked = a.socket.request("never answered", null);
    const askedOfMany = stage.hub.request("never answered", null);
    const rejected = assert.rejects(asked, { code: "ERR_HUB_CLOSED" });
    stage.hub.send("last words");
    await Promise.all([stage.hub.close(), stage.hub.close()]);
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

  suite.test("a closed hub refuses everything", async (stage) => {
    const guest = await stage.connect();
    const { hub } = stage;
    await hub.close();
    assert.throws(() => hub.emit("a"), { code: "ERR_HUB_CLOSED" });
    assert.throws(() => hub.to("x").send("a"), { code: "ERR_HUB_CLOSED" });
    await assert.rejects(hub.request("a", null), { code: "ERR_HUB_CLOSED" });
    await assert.rejects(hub.listen(), { code: "ERR_HUB_CLOSED" });
    await assert.rejects(stage.dial().opened);
    useUp(guest.socket);
    assert.equal(stage.connected.length, 1);
    assert.equal(hub.sockets.size, 0);
  });

  suite.test("hub.close inside a handler closes whom it handles", async (stage) => {
    const [guest, other] = await stage.pair();
    const handled: unknown[] = [];
    stage.hub.handle("stop", async (n) => {
      handled.push(n);
      await stage.hub.close();
    });
    for (const n of [1, 2, 3]) guest.say({ event: "stop", data: n });
    assert.equal((await guest.client.closed).code, 1001);
    assert.equal((await other.client.closed).code, 1001);
    await stage.hub.close();
    assert.deepEqual(handled, [1]);
  });

  suite.test("hub.close inside connection closes who has just come", async (stage) => {
    stage.hub.once("connection", () => stage.hub.close());
    const client = stage.dial();
    assert.equal((await stage.departures.next())?.code, 1001);
    assert.equal((await client.closed).code, 1001);
    await stage.hub.close();
    assert.equal(stage.hub.sockets.size, 0);
  });

  suite.raw("hub.close does not need clients that answer", async (stage) => {
    const guest = await stage.connectRaw();
    await stage.hub.close();
    assert.deepEqual(await stage.departures.next(), {
      socket: guest.socket,
      code: 1001,
      reason: "The server is going away",
    });
    assert.deepEqual((await guest.rest()).length, 1);
  });

  suite.test("hub.drain tells everybody when to come back, and closes them with 4200", async (stage) => {
    const guests = await stage.trio();
    const gone: number[] = [];
    stage.hub.on("disconnection", (_socket, { code }) => gone.push(code));
    await stage.hub.drain(LONG);
    assert.deepEqual(gone, [4200, 4200, 4200]);
    const heard = await Promise.all(guests.map((guest) => guest.rest()));
    assert.deepEqual(
      heard,
      Array.from({ length: 3 }, () => [stage.wire.heard(BYE)]),
    );
    const endings = await Promise.all(guests.map(({ client }) => client.closed));
    assert.deepEqual(endings, [DRAINED, DRAINED, DRAINED]);
    assert.throws(() => stage.hub.emit("a"), { code: "ERR_HUB_CLOSED" });
  });

  suite.test("hub.drain tells library clients, and sends away who has not said hello", async (stage) => {
    const [member, newcomer] = [await enter(stage), await approach(stage)];
    await stage.hub.drain(LONG);
    assert.deepEqual([await told(member), await told(member)], [BYE, undefined]);
    assert.equal(await told(newcomer), undefined);
    assert.deepEqual([await member.closed, await newcomer.closed], [DRAINED, DRAINED]);
    assert.equal(stage.departures.take().length, 1);
  });

  suite.test("hub.drain lets handlers finish, and handles what is sent meanwhile", async (stage) => {
    const { guest, finish } = await guestAtWork(stage);
    stage.hub.handle("quick", () => "quick");
    const drained = stage.hub.drain(LONG);
    assert.deepEqual(await guest.packet(), BYE);
    guest.say({ event: "quick", id: 2 });
    assert.deepEqual(await guest.packet(), { reply: 2, data: "quick" });
    finish();
    assert.deepEqual(await guest.packet(), { reply: 1, data: "done" });
    assert.deepEqual(await guest.client.closed, DRAINED);
    await drained;
  });

  suite.test("hub.drain waits for the replies that the server asked for", async (stage) => {
    const guest = await stage.connect();
    const heard = guest.socket.request("question", null).then((answer) => guest.socket.emit("heard", answer));
    const asked = (await guest.packet()) as { readonly id: number };
    const drained = stage.hub.drain(LONG);
    assert.deepEqual(await guest.packet(), BYE);
    guest.say({ reply: asked.id, data: 42 });
    assert.deepEqual(await guest.packet(), { event: "heard", data: 42 });
    assert.deepEqual(await guest.client.closed, DRAINED);
    await Promise.all([heard, drained]);
  });

  suite.test("hub.drain waits no longer than it may", async (stage) => {
    const { guest } = await guestAtWork(stage);
    const idle = await stage.connect();
    const asked = assert.rejects(guest.socket.request("never answered", null), { code: "ERR_HUB_CLOSED" });
    await stage.hub.drain({ ...LONG, within: 30 });
    await asked;
    assert.deepEqual(await guest.client.closed, DRAINED);
    assert.deepEqual(await idle.client.closed, DRAINED);
    const departures = stage.departures.take().map(({ socket, code }) => [socket, code]);
    assert.deepEqual(departures, [
      [idle.socket, 4200],
      [guest.socket, 4200],
    ]);
    assert.deepEqual(stage.failures.take(), []);
  });

  suite.test("hub.drain does not wait for a client that does not read", async (stage) => {
    const [healthy, stalled] = await stage.pair();
    stalled.client.pause();
    stalled.socket.send(new Uint8Array(900_000));
    await stage.hub.drain(LONG);
    assert.deepEqual(await healthy.client.closed, DRAINED);
    const departures = new Set(stage.departures.take().map(({ socket, code }) => [socket.id, code].join(" ")));
    assert.deepEqual(departures, new Set([`${healthy.socket.id} 4200`, `${stalled.socket.id} 4200`]));
  });

  suite.test("while hub.drain waits, whoever comes is refused with 503", async (stage) => {
    const { finish } = await guestAtWork(stage);
    const drained = stage.hub.drain(LONG);
    await assert.rejects(stage.dial().opened, { status: 503 });
    finish();
    await drained;
  });

  suite.raw("while hub.drain waits, whoever comes is told when to try again", async (stage) => {
    const { finish } = await guestAtWork(stage);
    const drained = stage.hub.drain(LONG);
    const late = await stage.dialRaw();
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
    async (stage) => {
      const { finish } = await guestAtWork(stage);
      const undecided = stage.dial();
      await asked.next();
      const drained = stage.hub.drain(LONG);
      await assert.rejects(undecided.opened, { status: 503 });
      finish();
      await drained;
      assert.equal(stage.connected.length, 1);
    },
  );

  suite.test("hub.close ends a drain at once", async (stage) => {
    const { guest } = await guestAtWork(stage);
    const drained = stage.hub.drain(LONG);
    assert.deepEqual(await guest.packet(), BYE);
    await stage.hub.close();
    await drained;
    assert.deepEqual(await guest.client.closed, DRAINED);
    assert.deepEqual(await guest.rest(), []);
  });

  suite.test("hub.drain is one drain however often it is asked for, and none after hub.close", async (stage) => {
    const { guest, finish } = await guestAtWork(stage);
    const drains = Promise.all([stage.hub.drain(LONG), stage.hub.drain({ within: 1, spread: 1 })]);
    assert.deepEqual(await guest.packet(), BYE);
    finish();
    await drains;
    assert.deepEqual(await guest.rest(), [stage.wire.heard({ reply: 1, data: "done" })]);
    await stage.hub.close();
    await stage.hub.drain(LONG);
    assert.equal(stage.departures.take().length, 1);
  });
}

/** A guest whose request has come to a handler that waits for the test. */
async function guestAtWork(stage: Stage): Promise<{ readonly guest: Guest; readonly finish: () => void }> {
  const work = new Inbox<() => void>();
  stage.hub.handle("work", () => new Promise((resolve) => work.push(() => resolve("done"))));
  const guest = await stage.connect({ url: "/in" });
  guest.say({ event: "work", id: 1 });
  const finish = await work.next();
  assert.ok(finish !== undefined);
  return { guest, finish };
}
