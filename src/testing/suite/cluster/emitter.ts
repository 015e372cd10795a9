import assert from "node:assert/strict";
import { createEmitter } from "../../../hub/emitter.ts";
import type { ClusterSuite } from "./cluster-suite.ts";

/** Emitters, for programs without clients of their own. */
export function emitterCases(suite: ClusterSuite): void {
  suite.test("messages of an emitter arrive, even if it is closed at once", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["y"]);
    const emitter = createEmitter(fixture.createBackplane());
    emitter.to("x").send("1");
    emitter.to("x").except("y").send("2");
    emitter.toSocket(peers[2]?.socket.id ?? "").send("3");
    emitter.send("4");
    await emitter.close();
    // These messages use several channels, and not every engine keeps an order between channels.
    const heard = (await fixture.heard(peers)) as string[][];
    assert.deepEqual(
      heard.map((messages) => messages.toSorted()),
      [
        ["1", "2", "4"],
        ["1", "2", "4"],
        ["3", "4"],
      ],
    );
  });

  suite.test("an emitter describes sockets, sends requests and closes sockets", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["y"]);
    const emitter = createEmitter(fixture.createBackplane());
    const found = await emitter.to("x").sockets();
    assert.deepEqual(
      found.map(({ id }) => id).toSorted(),
      peers
        .slice(0, 2)
        .map(({ socket }) => socket.id)
        .toSorted(),
    );
    assert.deepEqual(emitter.nodes.map(({ name }) => name).toSorted(), ["one", "three", "two"]);
    const asked = emitter.to("y").request("q");
    const packet = (await peers[2]?.packet()) as { readonly id: number };
    peers[2]?.say({ reply: packet.id, data: "yes" });
    assert.deepEqual([...(await asked).replies.values()], ["yes"]);
    emitter.to("x").close(4001);
    assert.equal((await peers[0]?.client.closed)?.code, 4001);
    await emitter.close();
  });

  suite.test("an emitter that has put sockets into a room, and awaits it, reaches them there", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], []);
    const emitter = createEmitter(fixture.createBackplane());
    emitter.toSocket(peers[2]?.socket.id ?? "").join("y");
    await emitter.synced("y");
    emitter.to("y").send("1");
    emitter.to("x").join("z");
    await emitter.synced();
    emitter.to("z").send("2");
    // In a Redis Cluster the leave could overtake it.
    await fixture.settled();
    emitter.join("all");
    emitter.leave("z");
    await emitter.synced();
    emitter.to("z", "all").volatile.send("3");
    await emitter.close();
    const heard = (await fixture.heard(peers)) as string[][];
    assert.deepEqual(
      heard.map((messages) => (fixture.isOrdered ? messages : messages.toSorted())),
      [
        ["2", "3"],
        ["2", "3"],
        ["1", "3"],
      ],
    );
    assert.equal(fixture.hub(0).rooms.has("z"), false);
    await assert.rejects(emitter.synced());
  });

  suite.test("an emitter is no node, but its messages reach all nodes", async (fixture) => {
    const heard: unknown[] = [];
    for (const hub of fixture.hubs) hub.onNode("news", (data) => heard.push(data));
    const emitter = createEmitter(fixture.createBackplane());
    await emitter.everybody.sockets();
    emitter.emitToNodes("news", 7);
    await emitter.close();
    await fixture.settled();
    assert.deepEqual(heard, [7, 7, 7]);
    assert.deepEqual(
      fixture.hubs.map(({ nodes }) => nodes.length),
      [2, 2, 2],
    );
  });
}
