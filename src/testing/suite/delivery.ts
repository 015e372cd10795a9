import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Suite } from "./suite.ts";

/** Guarantees 1 to 5: order, snapshot, membership, once, close. */
export function deliveryCases(suite: Suite): void {
  suite.test("whatever way things are sent, they arrive in the order of the calls", async (stage) => {
    const { hub, wire } = stage;
    const guest = await stage.connect();
    const { socket } = guest;
    socket.join("a", "b");
    socket.emit("1");
    hub.emit("2");
    hub.to("a").send("3");
    const fourth = assert.rejects(socket.request("4", null), { code: "ERR_HUB_DISCONNECTED" });
    hub.to(["a", "b"]).emit("5");
    socket.send(Buffer.from([6]));
    const seventh = hub.to("b").request("7", undefined);
    hub.toSocket(socket.id).send("8");
    hub.volatile.emit("9");
    socket.close(4000);
    hub.send("never");
    assert.deepEqual(await guest.rest(), [
      wire.heard({ event: "1" }),
      wire.heard({ event: "2" }),
      "3",
      wire.heard({ event: "4", id: 1, data: null }),
      wire.heard({ event: "5" }),
      [6],
      wire.heard({ event: "7", id: 2, room: "b" }),
      "8",
      wire.heard({ event: "9" }),
    ]);
    assert.equal((await guest.client.closed).code, 4000);
    await fourth;
    assert.equal((await seventh).failures.size, 1);
  });

  suite.test("small and large messages keep their order", async (stage) => {
    const guest = await stage.connect();
    const sent = Array.from({ length: 60 }, (_, n) => `${n}:${"x".repeat(n % 7 === 0 ? 70_000 : n)}`);
    for (const [n, message] of sent.entries()) (n % 2 === 0 ? stage.hub : guest.socket).send(message);
    assert.deepEqual(await guest.heard(), sent);
  });

  suite.test("sockets that are sent different things each get their own", async (stage) => {
    const [a, b, c] = await stage.trio();
    a.socket.join("room");
    b.socket.join("room");
    stage.hub.send("1");
    a.socket.send("2a");
    stage.hub.to("room").send("3");
    b.socket.send("4b");
    stage.hub.send("5");
    assert.deepEqual(await a.heard(), ["1", "2a", "3", "5"]);
    assert.deepEqual(await b.heard(), ["1", "3", "4b", "5"]);
    assert.deepEqual(await c.heard(), ["1", "5"]);
  });

  suite.test("what is sent from a handler precedes its reply", async (stage) => {
    const guest = await stage.connect();
    stage.hub.handle("do", (_data, socket) => {
      socket.send("first");
      return "second";
    });
    guest.say({ event: "do", id: 5 });
    assert.equal(await guest.client.next(), "first");
    assert.deepEqual(await guest.packet(), { reply: 5, data: "second" });
  });

  suite.test("what is sent is what the data was at the call", async (stage) => {
    const guest = await stage.connect();
    const data = { items: [1] };
    const bytes = Buffer.from([1, 2]);
    guest.socket.emit("a", data);
    stage.hub.emit("b", data);
    const asked = guest.socket.request("c", data);
    guest.socket.send(bytes);
    stage.hub.send(bytes);
    data.items.push(2);
    bytes.fill(9);
    assert.deepEqual(await guest.packet(), { event: "a", data: { items: [1] } });
    assert.deepEqual(await guest.packet(), { event: "b", data: { items: [1] } });
    assert.deepEqual(await guest.packet(), { event: "c", id: 1, data: { items: [1] } });
    assert.deepEqual(await guest.heard(), [
      [1, 2],
      [1, 2],
    ]);
    guest.say({ reply: 1 });
    await asked;
  });

  suite.test("one broadcast is encoded once", { codec: countingCodec() }, async (stage) => {
    const [a, b, c] = await stage.trio();
    stage.hub.emit("count");
    assert.deepEqual([await a.heard(), await b.heard(), await c.heard()], [["1"], ["1"], ["1"]]);
  });

  suite.test("members at the call receive it: neither before nor after", async (stage) => {
    const { hub } = stage;
    const guest = await stage.connect();
    hub.to("room").send("too early");
    guest.socket.join("room");
    hub.to("room").send("in time");
    guest.socket.leave("room");
    hub.to("room").send("too late");
    assert.deepEqual(await guest.heard(), ["in time"]);
  });

  suite.test("emit then close delivers", async (stage) => {
    const guest = await stage.connect();
    guest.socket.emit("goodbye");
    guest.socket.send("x".repeat(300_000));
    guest.socket.close(4000);
    assert.deepEqual(await guest.rest(), [stage.wire.heard({ event: "goodbye" }), "x".repeat(300_000)]);
    assert.equal((await guest.client.closed).code, 4000);
  });

  suite.test("terminate discards what waits", async (stage) => {
    const guest = await stage.connect();
    guest.socket.emit("never");
    guest.socket.terminate();
    assert.deepEqual(await guest.rest(), []);
  });

  suite.test("after a kick nothing of the room arrives", async (stage) => {
    const [a, b] = await stage.pair();
    a.socket.join("room");
    b.socket.join("room");
    stage.hub.to("room").send("1");
    stage.hub.toSocket(a.socket.id).leave("room");
    stage.hub.to("room").send("2");
    stage.hub.to("room").close(4003, "kicked");
    stage.hub.to("room").send("3");
    assert.deepEqual(await a.heard(), ["1"]);
    assert.deepEqual(await b.rest(), ["1", "2"]);
    assert.deepEqual(await b.client.closed, { code: 4003, reason: "kicked" });
    assert.equal(stage.hub.rooms.size, 0);
  });

  suite.test("data that cannot be encoded throws at the call and sends nothing", async (stage) => {
    const guest = await stage.connect();
    const loop: { self?: unknown } = {};
    loop.self = loop;
    for (const data of [loop, 2n ** 64n, () => {}]) {
      assert.throws(() => guest.socket.emit("bad", data), { code: "ERR_HUB_UNSERIALISABLE" });
      assert.throws(() => stage.hub.emit("bad", data), { code: "ERR_HUB_UNSERIALISABLE" });
    }
    assert.throws(() => guest.socket.emit("hub:bad"), { code: "ERR_HUB_EVENT_NAME" });
    assert.deepEqual(await guest.heard(), []);
  });
}

/** Encodes the how-maniest packet it is. */
function countingCodec(): { encode: () => string; decode: () => undefined } {
  let count = 0;
  return { encode: () => String(++count), decode: () => undefined };
}
