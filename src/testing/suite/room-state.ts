import assert from "node:assert/strict";
import type { ClientFixture } from "./client-fixture.ts";
import type { HubFixture } from "./hub-fixture.ts";
import type { Suite } from "./suite.ts";

/** Membership in rooms: joining, leaving, and the rooms that the hub shows. */
export function roomStateCases(suite: Suite): void {
  suite.test("joining a room twice is the same as joining it once", async (fixture) => {
    const peer = await fixture.connect();
    peer.socket.join("x", "x");
    peer.socket.join("x");
    fixture.hub.to("x").send("once");
    peer.socket.leave("x");
    fixture.hub.to("x").send("never");
    assert.deepEqual(await peer.heard(), ["once"]);
    assert.equal(fixture.hub.rooms.has("x"), false);
  });

  suite.test("leaving a room that the socket is not in does nothing", async (fixture) => {
    const [a, b] = await fixture.pair();
    a.socket.join("x");
    b.socket.leave("x", "y");
    a.socket.leave("y");
    assert.deepEqual(rooms(fixture), { x: [a.socket.id] });
  });

  suite.test("a room exists while it has members", async (fixture) => {
    const [a, b] = await fixture.pair();
    a.socket.join("x", "y");
    b.socket.join("x");
    assert.deepEqual(rooms(fixture), { x: [a.socket.id, b.socket.id], y: [a.socket.id] });
    assert.deepEqual([...a.socket.rooms], ["x", "y"]);
    a.socket.leave("x", "y");
    assert.deepEqual(rooms(fixture), { x: [b.socket.id] });
    assert.deepEqual([...a.socket.rooms], []);
    b.client.vanish();
    await fixture.departures.next();
    assert.deepEqual(rooms(fixture), {});
  });

  suite.test("invalid names throw, and nothing is joined or left", async (fixture) => {
    const { socket } = await fixture.connect();
    socket.join("x");
    for (const bad of ["", "r".repeat(257), 7, undefined] as string[]) {
      assert.throws(() => socket.join("y", bad), { code: "ERR_HUB_ROOM_NAME" });
      assert.throws(() => socket.leave("x", bad), { code: "ERR_HUB_ROOM_NAME" });
      assert.throws(() => fixture.hub.to(["x", bad]), { code: "ERR_HUB_ROOM_NAME" });
      assert.throws(() => fixture.hub.except([bad]), { code: "ERR_HUB_ROOM_NAME" });
      assert.throws(() => fixture.hub.to("x").join(bad), { code: "ERR_HUB_ROOM_NAME" });
    }
    assert.deepEqual([...socket.rooms], ["x"]);
  });

  suite.test("join, leave and close of a target act on all of its sockets", async (fixture) => {
    const [a, b, c] = await fixture.trio();
    a.socket.join("x");
    b.socket.join("x");
    fixture.hub.to("x").join("y", "z");
    fixture.hub.except(c.socket).leave("z");
    c.socket.broadcast.to("y").leave("x");
    assert.deepEqual(rooms(fixture), { y: [a.socket.id, b.socket.id] });
    fixture.hub.to("y").join("y");
    fixture.hub.to("y").close(4003, "out");
    assert.deepEqual(
      [await a.client.closed, await b.client.closed],
      [
        { code: 4003, reason: "out" },
        { code: 4003, reason: "out" },
      ],
    );
    assert.deepEqual(rooms(fixture), {});
    assert.deepEqual(await c.heard(), []);
  });

  suite.test("join and leave of the hub act on all sockets that are there", async (fixture) => {
    const [a, b] = await fixture.pair();
    fixture.hub.join("x", ["y", "z"]);
    fixture.hub.leave(["y"], "z", "nowhere");
    const c = await fixture.connect();
    assert.deepEqual([...c.socket.rooms], []);
    c.socket.join("x", "c");
    fixture.hub.join("x");
    fixture.hub.leave("c");
    assert.throws(() => fixture.hub.join("w", ""), { code: "ERR_HUB_ROOM_NAME" });
    assert.throws(() => fixture.hub.leave("x", ""), { code: "ERR_HUB_ROOM_NAME" });
    for (const { socket } of [a, b, c]) assert.deepEqual([...socket.rooms], ["x"]);
  });

  suite.test("everybody is a target of all sockets", async (fixture) => {
    const [a, b] = await fixture.pair();
    assert.equal((await fixture.hub.everybody.sockets()).length, 2);
    fixture.hub.everybody.close(4003);
    assert.deepEqual([(await a.client.closed).code, (await b.client.closed).code], [4003, 4003]);
  });

  suite.test("a target describes its sockets", async (fixture) => {
    const [a, b] = await fixture.pair();
    a.socket.join("x", "y");
    a.socket.data = { name: "ann", secret: 1 };
    b.socket.data["name"] = "bob";
    const description = { id: a.socket.id, user: undefined, rooms: ["x", "y"], data: { name: "ann" } };
    assert.deepEqual(await fixture.hub.to("x").sockets({ data: ["name"] }), [description]);
    assert.equal((await fixture.hub.except("none").sockets()).length, 2);
  });

  suite.test("a handler may leave the room to which it sends", async (fixture) => {
    const [a, b] = await fixture.pair();
    a.socket.join("x");
    b.socket.join("x");
    fixture.hub.handle("leave", (_data, socket) => {
      fixture.hub.to("x").send("1");
      socket.leave("x");
      fixture.hub.to("x").send("2");
      return [...socket.rooms];
    });
    a.say({ event: "leave", id: 1 });
    assert.equal(await a.client.next(), "1");
    assert.deepEqual(await a.packet(), { reply: 1, data: [] });
    assert.deepEqual(await a.heard(), []);
    assert.deepEqual(await b.heard(), ["1", "2"]);
  });

  suite.test("a handler may close all sockets of a room, its own among them", async (fixture) => {
    const [a, b, c] = await fixture.trio();
    for (const { socket } of [a, b] as ClientFixture[]) socket.join("x");
    fixture.hub.handle("end", () => {
      fixture.hub.to("x").emit("ended");
      fixture.hub.to("x").close(4000);
      fixture.hub.send("the rest");
      return "unheard";
    });
    a.say({ event: "end", id: 1 });
    const ended = fixture.wire.heard({ event: "ended", room: "x" });
    assert.deepEqual(await a.rest(), [ended]);
    assert.deepEqual(await b.rest(), [ended]);
    assert.deepEqual(await c.heard(), ["the rest"]);
  });
}

/** The ids of the sockets in each room, as the hub shows them. */
function rooms({ hub }: HubFixture): Record<string, string[]> {
  return Object.fromEntries([...hub.rooms].map(([name, sockets]) => [name, [...sockets].map(({ id }) => id)]));
}
