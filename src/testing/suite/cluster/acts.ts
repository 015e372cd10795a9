import assert from "node:assert/strict";
import { HubError } from "../../../errors.ts";
import type { ClusterSuite } from "./cluster-suite.ts";
import { until } from "./cluster-fixture.ts";

/** Acts on sockets of other nodes: join, leave and close. */
export function actCases(suite: ClusterSuite): void {
  suite.test("join, leave and close act on one socket of another node", async (fixture) => {
    const [, peer, other] = await fixture.connectAll([], ["x"], ["x"]);
    assert.ok(peer !== undefined && other !== undefined);
    const target = fixture.hub(0).toSocket(peer.socket.id);
    target.join("y", "z");
    target.leave("x");
    target.close(4002, "you");
    assert.deepEqual(await peer.client.closed, { code: 4002, reason: "you" });
    await fixture.settled();
    assert.deepEqual([...peer.socket.rooms], ["y", "z"]);
    assert.deepEqual([...other.socket.rooms], ["x"]);
    assert.equal(other.socket.isOpen, true);
  });

  suite.test("join and close act on a union of rooms without its exceptions", async (fixture) => {
    const peers = await fixture.connectAll(["a", "c"], ["a", "b"], ["b"]);
    fixture.hub(0).to("a", "b").except("c").join("new");
    await fixture.settled();
    const isIn = peers.map(({ socket }) => socket.rooms.has("new"));
    assert.deepEqual(isIn, [false, true, true]);
    fixture.hub(1).to("a", "b").except("c").close(4003);
    await until("the sockets are closed", () => !peers[1]?.socket.isOpen && !peers[2]?.socket.isOpen);
    assert.equal(peers[0]?.socket.isOpen, true);
  });

  suite.test("join and leave of the hub, and close of everybody, act on all nodes", async (fixture) => {
    const peers = await fixture.connectAll(["x"], [], ["x"]);
    fixture.hub(0).join("y", "z");
    await fixture.settled();
    fixture.hub(1).leave("x", "z");
    await fixture.settled();
    assert.deepEqual(
      peers.map(({ socket }) => [...socket.rooms]),
      [["y"], ["y"], ["y"]],
    );
    assert.equal((await fixture.hub(2).everybody.sockets()).length, 3);
    fixture.hub(2).everybody.close(4001);
    const closes = await Promise.all(peers.map(({ client }) => client.closed));
    assert.deepEqual(
      closes.map(({ code }) => code),
      [4001, 4001, 4001],
    );
  });

  suite.test("joins and leaves from another node are told on the node of the socket alone", async (fixture) => {
    await fixture.connectAll(["x"], ["x"], ["x"]);
    const heard: string[][] = [[], [], []];
    for (const [index, changes] of heard.entries()) {
      fixture.hub(index).on("room", ({ type, room }) => changes.push(`${type} ${room}`));
    }
    fixture.hub(0).to("x").join("y");
    fixture.hub(0).local.to("y").leave("x", "y");
    await fixture.settled();
    const joined = ["created y", "joined y"];
    assert.deepEqual(heard, [[...joined, "left x", "deleted x", "left y", "deleted y"], joined, joined]);
  });

  suite.test("local acts on no other node", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    fixture.hub(1).local.to("x").leave("x");
    fixture.hub(1).local.close(4001);
    await fixture.settled();
    assert.deepEqual(
      peers.map(({ socket }) => [socket.isOpen, socket.rooms.has("x")]),
      [
        [true, true],
        [false, false],
        [true, true],
      ],
    );
  });

  suite.test(
    "a join over the limit of one socket is reported on its node, and keeps no other socket out",
    { limits: { rooms: 2 } },
    async (fixture) => {
      const peers = await fixture.connectAll(["x"], ["x", "y"], ["x"]);
      fixture.hub(0).to("x").join("z");
      await fixture.settled();
      assert.deepEqual(
        peers.map(({ socket }) => socket.rooms.has("z")),
        [true, false, true],
      );
      const [error] = fixture.failures(1);
      assert.ok(error instanceof HubError);
      assert.equal(error.code, "ERR_HUB_LIMIT");
    },
  );
}
