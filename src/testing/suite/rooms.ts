import assert from "node:assert/strict";
import type { Hub } from "../../hub/hub.ts";
import { roomStateCases } from "./room-state.ts";
import type { ClientFixture } from "./client-fixture.ts";
import type { Suite } from "./suite.ts";

type Trio = readonly [ClientFixture, ClientFixture, ClientFixture];

/** Waits for the messages that each of the three clients was sent. */
const heard = ([a, b, c]: Trio): Promise<unknown[]> => Promise.all([a.heard(), b.heard(), c.heard()]);

/** Joins a to x, b to x and y, and c to y. */
export function joinRooms([a, b, c]: Trio): void {
  a.socket.join("x");
  b.socket.join("x", "y");
  c.socket.join("y");
}

const HIT = ["m"];
const MISS: string[] = [];

/** Targets, with the messages that each of three clients gets. */
export const TARGETS: readonly (readonly [name: string, send: (hub: Hub, trio: Trio) => void, expected: unknown])[] = [
  ["hub.send reaches everybody", (hub) => hub.send("m"), [HIT, HIT, HIT]],
  ["a room reaches its members", (hub) => hub.to("x").send("m"), [HIT, HIT, MISS]],
  ["a union reaches each member once", (hub) => hub.to(["x", "y"]).send("m"), [HIT, HIT, HIT]],
  ["a union may be chained", (hub) => hub.to("x").to("y").send("m"), [HIT, HIT, HIT]],
  ["a room named twice is one room", (hub) => hub.to(["x", "x"]).to("x").send("m"), [HIT, HIT, MISS]],
  ["an unknown room reaches nobody", (hub) => hub.to("z").send("m"), [MISS, MISS, MISS]],
  ["an unknown room adds nobody", (hub) => hub.to(["z", "y"]).send("m"), [MISS, HIT, HIT]],
  ["no room at all reaches nobody", (hub) => hub.to([]).send("m"), [MISS, MISS, MISS]],
  ["no room at all adds nobody", (hub) => hub.to("x").to([]).send("m"), [HIT, HIT, MISS]],
  ["except a room", (hub) => hub.except("x").send("m"), [MISS, MISS, HIT]],
  ["except rooms", (hub) => hub.except(["x", "y"]).send("m"), [MISS, MISS, MISS]],
  ["except an unknown room leaves out nobody", (hub) => hub.except("z").send("m"), [HIT, HIT, HIT]],
  ["except no room leaves out nobody", (hub) => hub.except([]).send("m"), [HIT, HIT, HIT]],
  ["except a socket", (hub, [, b]) => hub.except(b.socket).send("m"), [HIT, MISS, HIT]],
  ["except two sockets", (hub, [a, b]) => hub.except(a.socket).except(b.socket).send("m"), [MISS, MISS, HIT]],
  ["except wins over to", (hub) => hub.to("x").except("y").send("m"), [HIT, MISS, MISS]],
  ["except wins over to, whichever comes first", (hub) => hub.except("y").to("x").send("m"), [HIT, MISS, MISS]],
  ["except a room that is meant reaches nobody", (hub) => hub.to("x").except("x").send("m"), [MISS, MISS, MISS]],
  ["a socket by its id", (hub, [a]) => hub.toSocket(a.socket.id).send("m"), [HIT, MISS, MISS]],
  ["a socket and a room, each once", (hub, [a]) => hub.toSocket(a.socket.id).to("x").send("m"), [HIT, HIT, MISS]],
  ["except wins over toSocket", (hub, [a]) => hub.toSocket(a.socket.id).except("x").send("m"), [MISS, MISS, MISS]],
  ["an unknown id reaches nobody", (hub) => hub.toSocket("nobody").send("m"), [MISS, MISS, MISS]],
  ["a room's name is no id", (hub) => hub.toSocket("x").send("m"), [MISS, MISS, MISS]],
  ["a room's name is no user", (hub) => hub.toUser("x").send("m"), [MISS, MISS, MISS]],
  ["socket.broadcast leaves the sender out", (_hub, [a]) => a.socket.broadcast.send("m"), [MISS, HIT, HIT]],
  ["socket.to leaves the sender out", (_hub, [a]) => a.socket.to("x").send("m"), [MISS, HIT, MISS]],
  ["socket.to reaches rooms the sender is not in", (_hub, [a]) => a.socket.to("y").send("m"), [MISS, HIT, HIT]],
  ["socket.to of no room reaches nobody", (_hub, [a]) => a.socket.to([]).send("m"), [MISS, MISS, MISS]],
  [
    "the sender stays out when named",
    (_hub, [a]) => a.socket.broadcast.toSocket(a.socket.id).send("m"),
    [MISS, MISS, MISS],
  ],
  ["socket.except leaves out both", (_hub, [a, , c]) => a.socket.except(c.socket).send("m"), [MISS, HIT, MISS]],
  ["socket.volatile is the socket", (_hub, [a]) => a.socket.volatile.send("m"), [HIT, MISS, MISS]],
  ["hub.local is everybody on one node", (hub) => hub.local.to("x").send("m"), [HIT, HIT, MISS]],
];

/** The sockets that a target reaches. */
export function roomCases(suite: Suite): void {
  for (const [name, send, expected] of TARGETS) {
    suite.test(name, async (fixture) => {
      const trio = await fixture.trio();
      joinRooms(trio);
      send(fixture.hub, trio);
      assert.deepEqual(await heard(trio), expected);
    });
  }

  suite.test("a target is looked up at each use, and no use changes it", async (fixture) => {
    const trio = await fixture.trio();
    const [a, b] = trio;
    const room = fixture.hub.to("x");
    room.send("1");
    a.socket.join("x");
    room.send("2");
    room.except(a.socket).send("3");
    b.socket.join("x");
    room.to("y").volatile.send("4");
    room.send("5");
    assert.deepEqual(await heard(trio), [["2", "4", "5"], ["4", "5"], []]);
  });

  suite.test("an event names the room when it was sent to exactly one", async (fixture) => {
    const peer = await fixture.connect();
    const { hub, wire } = fixture;
    peer.socket.join("x", "y");
    hub.to("x").emit("one");
    hub.to(["x", "y"]).emit("two");
    hub.emit("all");
    hub.to("x").toSocket(peer.socket.id).emit("mixed");
    assert.deepEqual(await peer.heard(), [
      wire.heard({ event: "one", room: "x" }),
      wire.heard({ event: "two" }),
      wire.heard({ event: "all" }),
      wire.heard({ event: "mixed" }),
    ]);
  });

  suite.test("a member of a room named like a socket's id gets nothing that is for that socket", async (fixture) => {
    const trio = await fixture.trio();
    const [a, b] = trio;
    b.socket.join(a.socket.id);
    fixture.hub.toSocket(a.socket.id).send("for a");
    fixture.hub.to(a.socket.id).send("for the room");
    fixture.hub.except(a.socket.id).send("for all but the room");
    assert.deepEqual(await heard(trio), [
      ["for a", "for all but the room"],
      ["for the room"],
      ["for all but the room"],
    ]);
  });

  suite.test(
    "a user is reached on all of their sockets",
    { authenticate: ({ query }) => ({ id: query.get("user") ?? "nobody" }) },
    async (fixture) => {
      const trio = await Promise.all([
        fixture.connect({ url: "/?user=ann" }),
        fixture.connect({ url: "/?user=ann" }),
        fixture.connect({ url: "/?user=bob" }),
      ]);
      const [a, b, c] = trio;
      c.socket.join("ann");
      fixture.hub.toUser("ann").send("1");
      fixture.hub.toUser("ann").toUser("bob").toSocket(a.socket.id).send("2");
      a.socket.broadcast.toUser("ann").send("3");
      fixture.hub.toUser("eve").send("4");
      b.client.close();
      await fixture.departures.next();
      fixture.hub.toUser("ann").send("5");
      assert.deepEqual(await Promise.all([a.heard(), b.rest(), c.heard()]), [["1", "2", "5"], ["1", "2", "3"], ["2"]]);
    },
  );

  roomStateCases(suite);
}
