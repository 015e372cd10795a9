import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { ClientFixture } from "../client-fixture.ts";
import type { ClusterSuite } from "./cluster-suite.ts";

/** So many messages each hub sends. */
const COUNT = 300;

/** The order of what comes from one node. */
export function orderCases(suite: ClusterSuite): void {
  suite.test("everybody hears each node in its order, and all of it", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    await Promise.all(
      fixture.hubs.map(async (hub, node) => {
        for (let number = 0; number < COUNT; number++) {
          hub.to("x").send(`${node} ${number}`);
          // Sometimes in one turn of the event loop, sometimes in several.
          if (number % 7 === node) await turn();
        }
      }),
    );
    await assertOrdered(await fixture.heard(peers), fixture.hubs.length);
  });

  suite.test("a room and its unions are in order for those who are in no other of the rooms", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x", "other"]);
    const hub = fixture.hub(0);
    for (let number = 0; number < COUNT; number++) {
      const target = number % 3 === 0 ? hub.to("x", "y", "z") : hub.to("x");
      target.send(`0 ${number}`);
      if (number % 50 === 0) await turn();
    }
    await assertOrdered(await fixture.heard(peers), 1);
  });

  suite.test("what is sent before a leave arrives, and nothing behind it", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    const room = fixture.hub(0).to("x");
    room.send("in");
    room.leave("x");
    room.send("out");
    assert.deepEqual(await fixture.heard(peers), [["in"], ["in"], ["in"]]);
    assert.deepEqual(rooms(peers), [[], [], []]);
  });

  suite.test("what is sent before a close arrives before it", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    const room = fixture.hub(0).to("x");
    room.send("1");
    room.send("2");
    room.close(4001, "enough");
    for (const peer of peers) {
      assert.deepEqual(await peer.rest(), ["1", "2"]);
      assert.deepEqual(await peer.client.closed, { code: 4001, reason: "enough" });
    }
  });

  suite.test("after a join everywhere, the room is heard", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    fixture.hub(0).to("x").join("y");
    await fixture.settled();
    assert.deepEqual(rooms(peers), [
      ["x", "y"],
      ["x", "y"],
      ["x", "y"],
    ]);
    await fixture.synced();
    fixture.hub(2).to("y").send("m");
    assert.deepEqual(await fixture.heard(peers), [["m"], ["m"], ["m"]]);
  });
}

function rooms(peers: readonly ClientFixture[]): string[][] {
  return peers.map(({ socket }) => [...socket.rooms]);
}

async function assertOrdered(heard: readonly unknown[], nodes: number): Promise<void> {
  for (const messages of heard as string[][]) {
    const byNode = Array.from({ length: nodes }, (): number[] => []);
    for (const message of messages) {
      const [node = 0, number = 0] = message.split(" ").map(Number);
      byNode[node]?.push(number);
    }
    const all = Array.from({ length: COUNT }, (_, number) => number);
    assert.deepEqual(
      byNode,
      Array.from({ length: nodes }, () => all),
    );
  }
}
