import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { ClientFixture } from "../client-fixture.ts";
import type { ClusterSuite } from "./cluster-suite.ts";

/** The number of messages that each hub sends. */
const COUNT = 300;

/** The number of rooms that sockets of other nodes are put into, one after the other. */
const ROOMS = 6;

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

  suite.test(
    "what a node sends to a room into which it has put sockets of other nodes reaches them",
    async (fixture) => {
      const peers = await fixture.connectAll([], ["x"], ["x"]);
      const hub = fixture.hub(0);
      const expected: string[] = [];
      for (let number = 0; number < ROOMS; number++) {
        const room = `room ${number}`;
        if (number % 2 === 0) for (const { socket } of peers) hub.toSocket(socket.id).join(room);
        else hub.to("x").join(room);
        // oxlint-disable-next-line no-await-in-loop -- without an order between channels, this has to be awaited
        if (!fixture.isOrdered) await hub.synced(room);
        hub.to(room).send(`first ${number}`);
        hub.to(room, "nobody").send(`second ${number}`);
        expected.push(`first ${number}`, `second ${number}`);
      }
      const [, ...heard] = (await fixture.heard(peers)) as string[][];
      assert.deepEqual(
        heard.map((messages) => (fixture.isOrdered ? messages : messages.toSorted())),
        heard.map(() => (fixture.isOrdered ? expected : expected.toSorted())),
      );
    },
  );

  suite.test(
    "what a node sends to a room from which it has taken a socket of another node does not reach it",
    async (fixture) => {
      const [, b, c] = await fixture.connectAll([], ["x"], ["x"]);
      assert.ok(b !== undefined && c !== undefined);
      fixture.hub(0).toSocket(b.socket.id).leave("x");
      // Without an order between channels, this has to be awaited.
      if (!fixture.isOrdered) await fixture.hub(0).synced("x");
      fixture.hub(0).to("x").send("m");
      assert.deepEqual(await fixture.heard([b, c]), [[], ["m"]]);
    },
  );

  suite.test("synced() waits until the nodes of the sockets that were put into a room hear it", async (fixture) => {
    const [, peer] = await fixture.connectAll([], ["x"], []);
    assert.ok(peer !== undefined);
    for (let number = 0; number < ROOMS; number++) {
      const room = `room ${number}`;
      fixture.hub(0).toSocket(peer.socket.id).join(room);
      // oxlint-disable-next-line no-await-in-loop -- one room after the other
      await fixture.hub(0).synced(number % 2 === 0 ? room : undefined);
      fixture.hub(2).to(room).send(room);
    }
    assert.equal(((await fixture.heard([peer]))[0] as string[]).length, ROOMS);
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
