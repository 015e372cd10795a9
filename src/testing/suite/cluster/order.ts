import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { ClientFixture } from "../client-fixture.ts";
import type { ClusterSuite } from "./cluster-suite.ts";

/** The number of messages that each hub sends. */
const COUNT = 300;

/** The order of messages from one node. */
export function orderCases(suite: ClusterSuite): void {
  suite.test("every client gets all messages of each node, in the order of that node", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    await Promise.all(
      fixture.hubs.map(async (hub, node) => {
        for (let number = 0; number < COUNT; number++) {
          hub.to("x").send(`${node} ${number}`);
          // Some of the messages share a turn of the event loop, and some do not.
          if (number % 7 === node) await turn();
        }
      }),
    );
    await assertOrdered(await fixture.heard(peers), fixture.hubs.length);
  });

  suite.test(
    "messages to a room and to its unions are in order for clients in no other of the rooms",
    async (fixture) => {
      const peers = await fixture.connectAll(["x"], ["x"], ["x", "other"]);
      const hub = fixture.hub(0);
      for (let number = 0; number < COUNT; number++) {
        const target = number % 3 === 0 ? hub.to("x", "y", "z") : hub.to("x");
        target.send(`0 ${number}`);
        if (number % 50 === 0) await turn();
      }
      await assertOrdered(await fixture.heard(peers), 1);
    },
  );

  suite.test("messages sent before a leave arrive, and later ones do not", async (fixture) => {
    const peers = await fixture.connectAll(["x"], ["x"], ["x"]);
    const room = fixture.hub(0).to("x");
    room.send("in");
    room.leave("x");
    room.send("out");
    assert.deepEqual(await fixture.heard(peers), [["in"], ["in"], ["in"]]);
    assert.deepEqual(rooms(peers), [[], [], []]);
  });

  suite.test("messages sent before a close arrive before it", async (fixture) => {
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

  suite.test("after a join on all nodes, messages to the room arrive", async (fixture) => {
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

/** Checks that each client got all messages of each node, in order. */
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
