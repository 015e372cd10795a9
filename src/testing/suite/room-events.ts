import assert from "node:assert/strict";
import type { RoomChange } from "../../hub/events.ts";
import type { ClientFixture } from "./client-fixture.ts";
import type { HubFixture } from "./hub-fixture.ts";
import type { Suite } from "./suite.ts";

/** The hub's event `room`: which rooms appear and vanish, and who joins and leaves them. */
export function roomEventCases(suite: Suite): void {
  suite.test("a room is created, joined, left and deleted, in the order of the changes", async (fixture) => {
    const [a, b] = await fixture.pair();
    const log = logOf(fixture, { a, b });
    a.socket.join("x");
    fixture.hub.to("x").join(["x", "y"]);
    b.socket.join("y");
    fixture.hub.to("y").leave("x", "y");
    assert.deepEqual(log, []);
    await a.heard();
    const inX = ["created x", "joined x a"];
    const inY = ["created y", "joined y a", "joined y b"];
    assert.deepEqual(log, [...inX, ...inY, "left x a", "deleted x", "left y a", "left y b", "deleted y"]);
  });

  suite.test("what changes nothing is not told", async (fixture) => {
    const [a, b] = await fixture.pair();
    a.socket.join("x");
    await a.heard();
    const log = logOf(fixture, { a, b });
    a.socket.join("x", "x");
    a.socket.leave("y");
    b.socket.leave("x");
    assert.throws(() => a.socket.join("z", ""), { code: "ERR_HUB_ROOM_NAME" });
    await a.heard();
    assert.deepEqual(log, []);
  });

  suite.test("all listeners hear the same order, although one of them joins and leaves", async (fixture) => {
    const [a, b] = await fixture.pair();
    const log: string[] = [];
    let depth = 0;
    const names = { a, b };
    fixture.hub.on("room", (change) => {
      assert.equal(depth++, 0);
      log.push(`1: ${textOf(change, names)}`);
      if (change.type === "joined" && change.room === "x") b.socket.join("y");
      if (change.type === "created" && change.room === "y") a.socket.leave("x");
      depth--;
    });
    fixture.hub.on("room", (change) => log.push(`2: ${textOf(change, names)}`));
    a.socket.join("x");
    await a.heard();
    const changes = ["created x", "joined x a", "created y", "joined y b", "left x a", "deleted x"];
    assert.deepEqual(
      log,
      changes.flatMap((change) => [`1: ${change}`, `2: ${change}`]),
    );
  });

  suite.test("a room that a client joins and leaves by itself", { joinable: () => true }, async (fixture) => {
    const a = await fixture.connect();
    const log = logOf(fixture, { a });
    await a.ask("hub:join", { room: "x" });
    await a.ask("hub:leave", { room: "x" });
    assert.deepEqual(log, ["created x", "joined x a", "left x a", "deleted x"]);
  });

  for (const [name, end] of [
    ["the server closes", ({ socket }: ClientFixture) => socket.close()],
    ["the server terminates", ({ socket }: ClientFixture) => socket.terminate()],
    ["the client closes", ({ client }: ClientFixture) => client.close()],
    ["of a client that vanishes", ({ client }: ClientFixture) => client.vanish()],
  ] as const) {
    suite.test(`a socket leaves its rooms before its disconnection: ${name}`, async (fixture) => {
      const [a, b] = await fixture.pair();
      a.socket.join("x", "y");
      b.socket.join("x");
      await b.heard();
      const log = logOf(fixture, { a, b });
      fixture.hub.on("room", (change) => {
        if (change.type === "left")
          assert.deepEqual([[...change.socket.rooms], change.socket.isOpen], [["x", "y"], false]);
        assert.deepEqual([...fixture.hub.rooms.keys()], ["x"]);
      });
      end(a);
      await fixture.departures.next();
      assert.deepEqual(log, ["left x a", "left y a", "deleted y", "disconnection a"]);
      assert.deepEqual(fixture.failures.take(), []);
    });
  }

  suite.test("ends and changes are told in the order in which they happened", async (fixture) => {
    const [a, b, c] = await fixture.trio();
    for (const { socket } of [a, b]) socket.join("x");
    await c.heard();
    const log = logOf(fixture, { a, b, c });
    a.socket.close();
    c.socket.join("x");
    b.socket.terminate();
    c.socket.leave("x");
    await c.heard();
    const endOfA = ["left x a", "disconnection a"];
    assert.deepEqual(log, [...endOfA, "joined x c", "left x b", "disconnection b", "left x c", "deleted x"]);
  });

  suite.test("a join inside a listener of connection is told after the connection", async (fixture) => {
    const log: string[] = [];
    fixture.hub.on("room", ({ type }) => log.push(type));
    fixture.hub.on("connection", (socket) => socket.join("x"));
    fixture.hub.on("connection", () => log.push("connection"));
    await fixture.connect();
    assert.deepEqual(log, ["connection", "created", "joined"]);
  });

  suite.test("closing the hub leaves and deletes all rooms", async (fixture) => {
    const a = await fixture.connect();
    a.socket.join("x");
    await a.heard();
    const log = logOf(fixture, { a });
    await fixture.hub.close();
    assert.deepEqual(log, ["left x a", "deleted x", "disconnection a"]);
  });

  suite.test("a listener hears what changes while it listens", async (fixture) => {
    const a = await fixture.connect();
    const heard: Record<"first" | "later" | "once" | "removed", string[]> = {
      first: [],
      later: [],
      once: [],
      removed: [],
    };
    const listenerOf = (name: keyof typeof heard) => (change: RoomChange) => heard[name].push(textOf(change, { a }));
    const removed = listenerOf("removed");
    fixture.hub.on("room", listenerOf("first")).on("room", removed).once("room", listenerOf("once"));
    a.socket.join("x");
    fixture.hub.on("room", listenerOf("later")).off("room", removed);
    a.socket.leave("x");
    await a.heard();
    const joined = ["created x", "joined x a"];
    const left = ["left x a", "deleted x"];
    assert.deepEqual(heard, { first: [...joined, ...left], later: left, once: ["created x"], removed: [] });
  });

  suite.test("a listener that throws is reported, and costs nobody anything", async (fixture) => {
    const a = await fixture.connect();
    const error = new Error("broken");
    fixture.hub.on("room", () => {
      throw error;
    });
    const log = logOf(fixture, { a });
    a.socket.join("x");
    await a.heard();
    assert.deepEqual(log, ["created x", "joined x a"]);
    const context = { source: "listener", event: "room" };
    assert.deepEqual(fixture.failures.take(), [
      { error, context },
      { error, context: { ...context, socket: a.socket } },
    ]);
    assert.equal(a.socket.isOpen, true);
  });
}

type Names = Readonly<Record<string, ClientFixture>>;

/** Logs changes of rooms, and disconnections. */
function logOf({ hub }: HubFixture, names: Names): string[] {
  const log: string[] = [];
  hub.on("room", (change) => log.push(textOf(change, names)));
  hub.on("disconnection", (socket) => log.push(`disconnection ${nameOf(socket, names)}`));
  return log;
}

function textOf(change: RoomChange, names: Names): string {
  const { type, room, socket } = change;
  return socket === undefined ? `${type} ${room}` : `${type} ${room} ${nameOf(socket, names)}`;
}

function nameOf(socket: unknown, names: Names): string | undefined {
  return Object.keys(names).find((name) => names[name]?.socket === socket);
}
