import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Suite } from "./suite.ts";

/**
 * Guarantees 1 to 5: order, data as of the call, members as of the call, delivery once, and delivery before a close.
 */
export function deliveryCases(suite: Suite): void {
  suite.test("messages arrive in the order of the calls, whichever methods send them", async (fixture) => {
    const { hub, wire } = fixture;
    const peer = await fixture.connect();
    const { socket } = peer;
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
    assert.deepEqual(await peer.rest(), [
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
    assert.equal((await peer.client.closed).code, 4000);
    await fourth;
    assert.equal((await seventh).failures.size, 1);
  });

  suite.test("small and large messages arrive in order", async (fixture) => {
    const peer = await fixture.connect();
    const sent = Array.from({ length: 60 }, (_, n) => `${n}:${"x".repeat(n % 7 === 0 ? 70_000 : n)}`);
    for (const [n, message] of sent.entries()) (n % 2 === 0 ? fixture.hub : peer.socket).send(message);
    assert.deepEqual(await peer.heard(), sent);
  });

  suite.test("each socket gets exactly the messages that are for it", async (fixture) => {
    const [a, b, c] = await fixture.trio();
    a.socket.join("room");
    b.socket.join("room");
    fixture.hub.send("1");
    a.socket.send("2a");
    fixture.hub.to("room").send("3");
    b.socket.send("4b");
    fixture.hub.send("5");
    assert.deepEqual(await a.heard(), ["1", "2a", "3", "5"]);
    assert.deepEqual(await b.heard(), ["1", "3", "4b", "5"]);
    assert.deepEqual(await c.heard(), ["1", "5"]);
  });

  suite.test("messages that a handler sends arrive before its reply", async (fixture) => {
    const peer = await fixture.connect();
    fixture.hub.handle("do", (_data, socket) => {
      socket.send("first");
      return "second";
    });
    peer.say({ event: "do", id: 5 });
    assert.equal(await peer.client.next(), "first");
    assert.deepEqual(await peer.packet(), { reply: 5, data: "second" });
  });

  suite.test("data is sent as it was at the call", async (fixture) => {
    const peer = await fixture.connect();
    const data = { items: [1] };
    const bytes = Buffer.from([1, 2]);
    peer.socket.emit("a", data);
    fixture.hub.emit("b", data);
    const asked = peer.socket.request("c", data);
    peer.socket.send(bytes);
    fixture.hub.send(bytes);
    data.items.push(2);
    bytes.fill(9);
    assert.deepEqual(await peer.packet(), { event: "a", data: { items: [1] } });
    assert.deepEqual(await peer.packet(), { event: "b", data: { items: [1] } });
    assert.deepEqual(await peer.packet(), { event: "c", id: 1, data: { items: [1] } });
    assert.deepEqual(await peer.heard(), [
      [1, 2],
      [1, 2],
    ]);
    peer.say({ reply: 1 });
    await asked;
  });

  suite.test("a broadcast is encoded once", { codec: countingCodec() }, async (fixture) => {
    const [a, b, c] = await fixture.trio();
    fixture.hub.emit("count");
    assert.deepEqual([await a.heard(), await b.heard(), await c.heard()], [["1"], ["1"], ["1"]]);
  });

  suite.test("a message to a room reaches those that are members at the call, and no others", async (fixture) => {
    const { hub } = fixture;
    const peer = await fixture.connect();
    hub.to("room").send("too early");
    peer.socket.join("room");
    hub.to("room").send("in time");
    peer.socket.leave("room");
    hub.to("room").send("too late");
    assert.deepEqual(await peer.heard(), ["in time"]);
  });

  suite.test("messages sent before a close are delivered", async (fixture) => {
    const peer = await fixture.connect();
    peer.socket.emit("goodbye");
    peer.socket.send("x".repeat(300_000));
    peer.socket.close(4000);
    assert.deepEqual(await peer.rest(), [fixture.wire.heard({ event: "goodbye" }), "x".repeat(300_000)]);
    assert.equal((await peer.client.closed).code, 4000);
  });

  suite.test("terminate discards buffered messages", async (fixture) => {
    const peer = await fixture.connect();
    peer.socket.emit("never");
    peer.socket.terminate();
    assert.deepEqual(await peer.rest(), []);
  });

  suite.test("after a socket was made to leave a room, nothing sent to the room arrives", async (fixture) => {
    const [a, b] = await fixture.pair();
    a.socket.join("room");
    b.socket.join("room");
    fixture.hub.to("room").send("1");
    fixture.hub.toSocket(a.socket.id).leave("room");
    fixture.hub.to("room").send("2");
    fixture.hub.to("room").close(4003, "kicked");
    fixture.hub.to("room").send("3");
    assert.deepEqual(await a.heard(), ["1"]);
    assert.deepEqual(await b.rest(), ["1", "2"]);
    assert.deepEqual(await b.client.closed, { code: 4003, reason: "kicked" });
    assert.equal(fixture.hub.rooms.size, 0);
  });

  suite.test("data that cannot be encoded throws at the call, and nothing is sent", async (fixture) => {
    const peer = await fixture.connect();
    const loop: { self?: unknown } = {};
    loop.self = loop;
    for (const data of [loop, 2n ** 64n, () => {}]) {
      assert.throws(() => peer.socket.emit("bad", data), { code: "ERR_HUB_UNSERIALISABLE" });
      assert.throws(() => fixture.hub.emit("bad", data), { code: "ERR_HUB_UNSERIALISABLE" });
    }
    assert.throws(() => peer.socket.emit("hub:bad"), { code: "ERR_HUB_EVENT_NAME" });
    assert.deepEqual(await peer.heard(), []);
  });
}

/** Creates a codec that encodes each packet as its number. */
function countingCodec(): { encode: () => string; decode: () => undefined } {
  let count = 0;
  return { encode: () => String(++count), decode: () => undefined };
}
