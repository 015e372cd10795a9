import assert from "node:assert/strict";
import { Inbox } from "../inbox.ts";
import { useUp, type Stage } from "./stage.ts";
import type { Suite } from "./suite.ts";

/** Guarantee 6: from `connection` to `disconnection`. */
export function lifecycleCases(suite: Suite): void {
  suite.test("connection fires once, before anything that the client sends", async (stage) => {
    const log = logOf(stage);
    const [a, b] = [await stage.connect(), await stage.connect()];
    a.say({ event: "log", data: "a" });
    await a.ask("fence");
    b.say({ event: "log", data: "b" });
    await b.ask("fence");
    assert.deepEqual(log, ["connection", "connection", "a", "b"]);
  });

  suite.test("disconnection fires once for each connection", async (stage) => {
    const log = logOf(stage);
    const [a, b, c] = await stage.trio();
    const fence = await stage.connect();
    a.client.close();
    b.client.vanish();
    c.socket.terminate();
    const gone = [await stage.departures.next(), await stage.departures.next(), await stage.departures.next()];
    assert.deepEqual(new Set(gone.map((departure) => departure?.socket)), new Set([a.socket, b.socket, c.socket]));
    await Promise.all([a.client.closed, b.client.closed, c.client.closed]);
    await fence.ask("fence");
    assert.equal(log.filter((entry) => entry === "disconnection").length, 3);
  });

  suite.test("disconnection is never fired from inside a handler or a listener", async (stage) => {
    const [a, b, c] = await stage.trio();
    const log: string[] = [];
    stage.hub.on("disconnection", ({ id }) => {
      log.push(`${id} in`);
      if (id === b.socket.id) c.socket.close();
      log.push(`${id} out`);
    });
    stage.hub.handle("close", (_data, socket) => {
      socket.close();
      b.socket.terminate();
      log.push("handled");
    });
    a.say({ event: "close" });
    await Promise.all([a.client.closed, b.client.closed, c.client.closed]);
    const [ida, idb, idc] = [a, b, c].map(({ socket }) => socket.id);
    assert.deepEqual(log, ["handled", `${ida} in`, `${ida} out`, `${idb} in`, `${idb} out`, `${idc} in`, `${idc} out`]);
  });

  suite.test("in disconnection the socket's rooms are readable, the hub's are without it", async (stage) => {
    const guest = await stage.connect();
    const seen = new Inbox<unknown>();
    stage.hub.on("disconnection", (socket) => {
      seen.push([[...socket.rooms], stage.hub.rooms.size, stage.hub.sockets.has(socket.id), socket.isOpen]);
    });
    guest.socket.join("x", "y");
    guest.client.close();
    assert.deepEqual(await seen.next(), [["x", "y"], 0, false, false]);
  });

  suite.test("a broadcast from inside disconnection reaches the others", async (stage) => {
    const [a, b] = await stage.pair();
    a.socket.join("x");
    b.socket.join("x");
    stage.hub.on("disconnection", (socket) => {
      for (const room of socket.rooms) stage.hub.to(room).emit("left", socket.id);
      socket.broadcast.send("bye");
      socket.emit("nobody hears this");
    });
    a.client.vanish();
    assert.deepEqual(await b.packet(), { event: "left", room: "x", data: a.socket.id });
    assert.equal(await b.client.next(), "bye");
  });

  suite.test("a closed socket joins nothing, sends nothing and leaks nothing", async (stage) => {
    const guest = await stage.connect();
    const { socket } = guest;
    socket.join("x");
    socket.close(4000);
    useUp(guest.socket);
    socket.volatile.send("never");
    assert.equal(stage.hub.rooms.size, 0);
    assert.deepEqual(await guest.rest(), []);
    await stage.departures.next();
    useUp(guest.socket);
    socket.volatile.send("never");
    assert.equal(stage.hub.rooms.size, 0);
    assert.equal(stage.hub.sockets.size, 0);
    assert.equal(socket.bufferedAmount, 0);
    assert.deepEqual([...socket.rooms], ["x"]);
    stage.hub.toSocket(socket.id).send("nobody");
    assert.deepEqual(stage.departures.take(), []);
  });

  suite.test("a handler that goes on after the client has gone harms nobody", async (stage) => {
    const guest = await stage.connect();
    const done = new Inbox<unknown>();
    stage.hub.handle("slow", async (_data, socket) => {
      await stage.departures.next();
      useUp(socket);
      done.push(stage.hub.rooms.size);
      return "nobody waits for this";
    });
    guest.say({ event: "slow", id: 1 });
    guest.client.close();
    assert.equal(await done.next(), 0);
    assert.deepEqual(stage.failures.take(), []);
  });

  for (const [name, end, code] of [
    ["close", "close", 1000],
    ["terminate", "terminate", 1006],
  ] as const) {
    suite.test(`${name} inside connection`, async (stage) => {
      const log = logOf(stage);
      stage.hub.once("connection", (socket) => {
        socket.join("x");
        socket.send("first");
        socket[end]();
      });
      const client = stage.dial();
      assert.equal((await stage.departures.next())?.code, code);
      assert.deepEqual(log, ["connection", "disconnection"]);
      assert.equal((await client.closed).code, code);
      assert.equal(await client.next(), end === "close" ? "first" : undefined);
      assert.equal(stage.hub.rooms.size, 0);
      const other = await stage.connect();
      assert.deepEqual(await other.heard(), []);
    });
  }

  for (const end of ["close", "terminate"] as const) {
    suite.test(`${end} inside a handler: nothing more is handled, nothing more is sent`, async (stage) => {
      const [guest, other] = await stage.pair();
      const handled: unknown[] = [];
      stage.hub.handle("n", (n: number, socket) => {
        handled.push(n);
        socket[end]();
        socket.send("never");
        return "never";
      });
      for (const n of [1, 2, 3]) guest.say({ event: "n", id: n, data: n });
      assert.deepEqual(await guest.rest(), []);
      assert.equal((await stage.departures.next())?.socket, guest.socket);
      await other.ask("fence");
      assert.deepEqual(handled, [1]);
      assert.deepEqual(stage.departures.take(), []);
    });
  }
}

/** Logs connections, disconnections and what clients say with the event `log`. */
function logOf({ hub }: Stage): unknown[] {
  const log: unknown[] = [];
  hub.on("connection", () => log.push("connection"));
  hub.on("disconnection", () => log.push("disconnection"));
  hub.handle("log", (data) => log.push(data));
  return log;
}
