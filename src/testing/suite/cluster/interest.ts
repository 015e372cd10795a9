import assert from "node:assert/strict";
import { createEmitter } from "../../../hub/emitter.ts";
import type { Traffic } from "../../../cluster/traffic.ts";
import type { ClientFixture } from "../client-fixture.ts";
import type { ClusterSuite } from "./cluster-suite.ts";
import { until, type ClusterFixture } from "./cluster-fixture.ts";

/** The nodes of a cluster with small rooms, each of which has members on only some of the nodes. */
const NODES = ["0", "1", "2", "3", "4", "5"];
const NODES_OF_A_ROOM = 2;
const ROOMS = 30;
const MESSAGES = 20;
/** A text so long that what nodes announce about themselves hardly counts beside it. */
const TEXT = "m".repeat(200);

/** Subscriptions: nodes receive what they need, and nothing else. */
export function interestCases(suite: ClusterSuite): void {
  suite.test("after synced(), messages of other nodes arrive", async (fixture) => {
    const peer = await fixture.connect(0);
    for (let round = 0; round < 10; round++) {
      const room = `room ${round}`;
      peer.socket.join(room);
      await fixture.hub(0).synced(room);
      fixture.hub(1).to(room).send(room);
    }
    const heard = (await fixture.heard([peer]))[0] as string[];
    assert.equal(heard.length, 10);
  });

  suite.test("a room that is left and joined again misses no message", async (fixture) => {
    const [peer] = await fixture.connectAll(["x"], [], []);
    assert.ok(peer !== undefined);
    for (let round = 0; round < 20; round++) {
      peer.socket.leave("x");
      peer.socket.join("x");
      fixture.hub(1).to("x").send("m");
    }
    await fixture.settled();
    await fixture.synced();
    fixture.hub(1).to("x").send("last");
    assert.deepEqual(((await fixture.heard([peer]))[0] as string[]).length, 21);
  });

  suite.test(
    "a node unsubscribes from a room without members, and subscribes again for the next member",
    async (fixture) => {
      const [peer] = await fixture.connectAll(["x"], [], []);
      assert.ok(peer !== undefined);
      peer.socket.leave("x");
      const hear = async (): Promise<boolean> => {
        const before = trafficOf(fixture, 0).unneeded;
        fixture.hub(1).to("x").send("m");
        await fixture.settled();
        return trafficOf(fixture, 0).unneeded > before;
      };
      for (let isHeard = true; isHeard; isHeard = await hear());
      peer.socket.join("x");
      await fixture.hub(0).synced("x");
      fixture.hub(1).to("x").send("again");
      assert.deepEqual(await fixture.heard([peer]), [["again"]]);
    },
  );

  suite.test("a node without sockets receives no broadcast", async (fixture) => {
    const peer = await fixture.connect(0);
    await fixture.synced();
    const before = trafficOf(fixture, 2).received;
    for (let index = 0; index < 50; index++) fixture.hub(1).send(`${index}`);
    assert.equal(((await fixture.heard([peer]))[0] as string[]).length, 50);
    // The node still receives fences, and what nodes announce about themselves.
    assert.ok(trafficOf(fixture, 2).received - before < 20);
  });

  suite.many(
    "with many nodes and small rooms, nodes receive hardly a byte that they do not need",
    NODES,
    {},
    async (fixture) => {
      const peers: ClientFixture[] = [];
      for (let room = 0; room < ROOMS; room++) {
        for (let member = 0; member < NODES_OF_A_ROOM; member++) {
          peers.push(await connectInRoom(fixture, (room + member) % NODES.length, `room ${room}`));
        }
      }
      await fixture.synced();
      const before = fixture.hubs.map((_, index) => trafficOf(fixture, index));
      const emitter = createEmitter(fixture.createBackplane());
      for (let index = 0; index < MESSAGES; index++) {
        for (let room = 0; room < ROOMS; room++) emitter.to(`room ${room}`).send(TEXT);
      }
      await emitter.close();
      await until("all have arrived", () => {
        return sum(fixture, before, (traffic) => traffic.received) >= NODES_OF_A_ROOM * ROOMS;
      });
      for (const heard of await fixture.heard(peers)) assert.equal((heard as string[]).length, MESSAGES);

      const received = sum(fixture, before, (traffic) => traffic.receivedBytes);
      const needed = received - sum(fixture, before, (traffic) => traffic.unneededBytes + traffic.echoedBytes);
      // The payload is what the members needed, without any envelope. The rest is the whole cost of the cluster.
      const payload = TEXT.length * MESSAGES * ROOMS * NODES_OF_A_ROOM;
      assert.ok(received / needed <= 1.05, `${received} bytes came in, ${needed} of them needed`);
      assert.ok(received / payload <= 1.2, `${received} bytes came in for ${payload} of payload`);
    },
  );
}

function trafficOf(fixture: ClusterFixture, index: number): Readonly<Traffic> {
  const { cluster } = fixture.hub(index).stats();
  assert.ok(cluster !== undefined);
  return cluster;
}

function sum(
  fixture: ClusterFixture,
  before: readonly Readonly<Traffic>[],
  figure: (traffic: Readonly<Traffic>) => number,
): number {
  return before.reduce((total, then, index) => total + figure(trafficOf(fixture, index)) - figure(then), 0);
}

async function connectInRoom(fixture: ClusterFixture, node: number, room: string): Promise<ClientFixture> {
  const peer = await fixture.connect(node);
  peer.socket.join(room);
  return peer;
}
