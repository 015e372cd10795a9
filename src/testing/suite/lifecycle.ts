import assert from "node:assert/strict";
import { Inbox } from "../inbox.ts";
import { useUp, type HubFixture } from "./hub-fixture.ts";
import type { Suite } from "./suite.ts";

/** Guarantee 6: the life of a socket, from `connection` to `disconnection`. */
export function lifecycleCases(suite: Suite): void {
  suite.test("connection fires once, before anything that the client sends", async (fixture) => {
    const log = logOf(fixture);
    const [a, b] = [await fixture.connect(), await fixture.connect()];
    a.say({ event: "log", data: "a" });
    await a.ask("fence");
    b.say({ event: "log", data: "b" });
    await b.ask("fence");
    assert.deepEqual(log, ["connection", "connection", "a", "b"]);
  });

  suite.test("disconnection fires once for each connection", async (fixture) => {
    const log = logOf(fixture);
    const [a, b, c] = await fixture.trio();
    const fence = await fixture.connect();
    a.client.close();
    b.client.vanish();
    c.socket.terminate();
    const gone = [await fixture.departures.next(), await fixture.departures.next(), await fixture.departures.next()];
    assert.deepEqual(new Set(gone.map((departure) => departure?.socket)), new Set([a.socket, b.socket, c.socket]));
    await Promise.all([a.client.closed, b.client.closed, c.client.closed]);
    await fence.ask("fence");
    assert.equal(log.filter((entry) => entry === "disconnection").length, 3);
  });

  suite.test("disconnection is never fired from inside a handler or a listener", async (fixture) => {
    const [a, b, c] = await fixture.trio();
    const log: string[] = [];
    fixture.hub.on("disconnection", ({ id }) => {
      log.push(`${id} in`);
      if (id === b.socket.id) c.socket.close();
      log.push(`${id} out`);
    });
    fixture.hub.handle("close", (_data, socket) => {
      socket.close();
      b.socket.terminate();
      log.push("handled");
    });
    a.say({ event: "close" });
    await Promise.all([a.client.closed, b.client.closed, c.client.closed]);
    const [ida, idb, idc] = [a, b, c].map(({ socket }) => socket.id);
    assert.deepEqual(log, ["handled", `${ida} in`, `${ida} out`, `${idb} in`, `${idb} out`, `${idc} in`, `${idc} out`]);
  });

  suite.test(
    "in disconnection the socket still has its rooms, and the hub's rooms are without the socket",
    async (fixture) => {
      const peer = await fixture.connect();
      const seen = new Inbox<unknown>();
      fixture.hub.on("disconnection", (socket) => {
        seen.push([[...socket.rooms], fixture.hub.rooms.size, fixture.hub.sockets.has(socket.id), socket.isOpen]);
      });
      peer.socket.join("x", "y");
      peer.client.close();
      assert.deepEqual(await seen.next(), [["x", "y"], 0, false, false]);
    },
  );

  suite.test("a broadcast from inside disconnection reaches the others", async (fixture) => {
    const [a, b] = await fixture.pair();
    a.socket.join("x");
    b.socket.join("x");
    fixture.hub.on("disconnection", (socket) => {
      for (const room of socket.rooms) fixture.hub.to(room).emit("left", socket.id);
      socket.broadcast.send("bye");
      socket.emit("nobody hears this");
    });
    a.client.vanish();
    assert.deepEqual(await b.packet(), { event: "left", room: "x", data: a.socket.id });
    assert.equal(await b.client.next(), "bye");
  });

  suite.test("a closed socket joins nothing, sends nothing and leaks nothing", async (fixture) => {
    const peer = await fixture.connect();
    const { socket } = peer;
    socket.join("x");
    socket.close(4000);
    useUp(peer.socket);
    socket.volatile.send("never");
    assert.equal(fixture.hub.rooms.size, 0);
    assert.deepEqual(await peer.rest(), []);
    await fixture.departures.next();
    useUp(peer.socket);
    socket.volatile.send("never");
    assert.equal(fixture.hub.rooms.size, 0);
    assert.equal(fixture.hub.sockets.size, 0);
    assert.equal(socket.bufferedAmount, 0);
    assert.deepEqual([...socket.rooms], ["x"]);
    fixture.hub.toSocket(socket.id).send("nobody");
    assert.deepEqual(fixture.departures.take(), []);
  });

  suite.test("a handler that runs on after the client has disconnected does no harm", async (fixture) => {
    const peer = await fixture.connect();
    const done = new Inbox<unknown>();
    fixture.hub.handle("slow", async (_data, socket) => {
      await fixture.departures.next();
      useUp(socket);
      done.push(fixture.hub.rooms.size);
      return "nobody waits for this";
    });
    peer.say({ event: "slow", id: 1 });
    peer.client.close();
    assert.equal(await done.next(), 0);
    assert.deepEqual(fixture.failures.take(), []);
  });

  for (const [name, end, code] of [
    ["close", "close", 1000],
    ["terminate", "terminate", 1006],
  ] as const) {
    suite.test(`${name} inside a listener of connection`, async (fixture) => {
      const log = logOf(fixture);
      fixture.hub.once("connection", (socket) => {
        socket.join("x");
        socket.send("first");
        socket[end]();
      });
      const client = fixture.dial();
      assert.equal((await fixture.departures.next())?.code, code);
      assert.deepEqual(log, ["connection", "disconnection"]);
      assert.equal((await client.closed).code, code);
      assert.equal(await client.next(), end === "close" ? "first" : undefined);
      assert.equal(fixture.hub.rooms.size, 0);
      const other = await fixture.connect();
      assert.deepEqual(await other.heard(), []);
    });
  }

  for (const end of ["close", "terminate"] as const) {
    suite.test(`${end} inside a handler: nothing more is handled, nothing more is sent`, async (fixture) => {
      const [peer, other] = await fixture.pair();
      const handled: unknown[] = [];
      fixture.hub.handle("n", (n: number, socket) => {
        handled.push(n);
        socket[end]();
        socket.send("never");
        return "never";
      });
      for (const n of [1, 2, 3]) peer.say({ event: "n", id: n, data: n });
      assert.deepEqual(await peer.rest(), []);
      assert.equal((await fixture.departures.next())?.socket, peer.socket);
      await other.ask("fence");
      assert.deepEqual(handled, [1]);
      assert.deepEqual(fixture.departures.take(), []);
    });
  }
}

/** Logs connections, disconnections and the data of the event `log`. */
function logOf({ hub }: HubFixture): unknown[] {
  const log: unknown[] = [];
  hub.on("connection", () => log.push("connection"));
  hub.on("disconnection", () => log.push("disconnection"));
  hub.handle("log", (data) => log.push(data));
  return log;
}
