import assert from "node:assert/strict";
import type { Guest } from "./guest.ts";
import type { Stage } from "./stage.ts";
import type { Suite } from "./suite.ts";

/** Who is where: joining, leaving, and what the hub shows of it. */
export function roomStateCases(suite: Suite): void {
  suite.test("joining twice is joining once", async (stage) => {
    const guest = await stage.connect();
    guest.socket.join("x", "x");
    guest.socket.join("x");
    stage.hub.to("x").send("once");
    guest.socket.leave("x");
    stage.hub.to("x").send("never");
    assert.deepEqual(await guest.heard(), ["once"]);
    assert.equal(stage.hub.rooms.has("x"), false);
  });

  suite.test("leaving a room that one is not in does nothing", async (stage) => {
    const [a, b] = await stage.pair();
    a.socket.join("x");
    b.socket.leave("x", "y");
    a.socket.leave("y");
    assert.deepEqual(rooms(stage), { x: [a.socket.id] });
  });

  suite.test("a room is there while it has members", async (stage) => {
    const [a, b] = await stage.pair();
    a.socket.join("x", "y");
    b.socket.join("x");
    assert.deepEqual(rooms(stage), { x: [a.socket.id, b.socket.id], y: [a.socket.id] });
    assert.deepEqual([...a.socket.rooms], ["x", "y"]);
    a.socket.leave("x", "y");
    assert.deepEqual(rooms(stage), { x: [b.socket.id] });
    assert.deepEqual([...a.socket.rooms], []);
    b.client.vanish();
    await stage.departures.next();
    assert.deepEqual(rooms(stage), {});
  });

  suite.test("bad names throw, and nothing was joined or left", async (stage) => {
    const { socket } = await stage.connect();
    socket.join("x");
    for (const bad of ["", "r".repeat(257), 7, undefined] as string[]) {
      assert.throws(() => socket.join("y", bad), { code: "ERR_HUB_ROOM_NAME" });
      assert.throws(() => socket.leave("x", bad), { code: "ERR_HUB_ROOM_NAME" });
      assert.throws(() => stage.hub.to(["x", bad]), { code: "ERR_HUB_ROOM_NAME" });
      assert.throws(() => stage.hub.except([bad]), { code: "ERR_HUB_ROOM_NAME" });
      assert.throws(() => stage.hub.to("x").join(bad), { code: "ERR_HUB_ROOM_NAME" });
    }
    assert.deepEqual([...socket.rooms], ["x"]);
  });

  suite.test("a target joins, leaves and closes all of its sockets", async (stage) => {
    const [a, b, c] = await stage.trio();
    a.socket.join("x");
    b.socket.join("x");
    stage.hub.to("x").join("y", "z");
    stage.hub.except(c.socket).leave("z");
    c.socket.broadcast.to("y").leave("x");
    assert.deepEqual(rooms(stage), { y: [a.socket.id, b.socket.id] });
    stage.hub.to("y").join("y");
    stage.hub.to("y").close(4003, "out");
    assert.deepEqual(
      [await a.client.closed, await b.client.closed],
      [
        { code: 4003, reason: "out" },
        { code: 4003, reason: "out" },
      ],
    );
    assert.deepEqual(rooms(stage), {});
    assert.deepEqual(await c.heard(), []);
  });

  suite.test("a target describes its sockets", async (stage) => {
    const [a, b] = await stage.pair();
    a.socket.join("x", "y");
    a.socket.data = { name: "ann", secret: 1 };
    b.socket.data["name"] = "bob";
    const description = { id: a.socket.id, user: undefined, rooms: ["x", "y"], data: { name: "ann" } };
    assert.deepEqual(await stage.hub.to("x").sockets({ data: ["name"] }), [description]);
    assert.equal((await stage.hub.except("none").sockets()).length, 2);
  });

  suite.test("a handler may leave the room that it sends to", async (stage) => {
    const [a, b] = await stage.pair();
    a.socket.join("x");
    b.socket.join("x");
    stage.hub.handle("leave", (_data, socket) => {
      stage.hub.to("x").send("1");
      socket.leave("x");
      stage.hub.to("x").send("2");
      return [...socket.rooms];
    });
    a.say({ event: "leave", id: 1 });
    assert.equal(await a.client.next(), "1");
    assert.deepEqual(await a.packet(), { reply: 1, data: [] });
    assert.deepEqual(await a.heard(), []);
    assert.deepEqual(await b.heard(), ["1", "2"]);
  });

  suite.test("a handler may close the room that it is in", async (stage) => {
    const [a, b, c] = await stage.trio();
    for (const { socket } of [a, b] as Guest[]) socket.join("x");
    stage.hub.handle("end", () => {
      stage.hub.to("x").emit("ended");
      stage.hub.to("x").close(4000);
      stage.hub.send("the rest");
      return "unheard";
    });
    a.say({ event: "end", id: 1 });
    const ended = stage.wire.heard({ event: "ended", room: "x" });
    assert.deepEqual(await a.rest(), [ended]);
    assert.deepEqual(await b.rest(), [ended]);
    assert.deepEqual(await c.heard(), ["the rest"]);
  });
}

/** The rooms as the hub shows them: names to ids. */
function rooms({ hub }: Stage): Record<string, string[]> {
  return Object.fromEntries([...hub.rooms].map(([name, sockets]) => [name, [...sockets].map(({ id }) => id)]));
}
