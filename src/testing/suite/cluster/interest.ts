import assert from "node:assert/strict";
import { createEmitter } from "../../../hub/emitter.ts";
import type { Traffic } from "../../../cluster/traffic.ts";
import type { Guest } from "../guest.ts";
import type { ClusterSuite } from "./cluster-suite.ts";
import { until, type ClusterStage } from "./cluster-stage.ts";

/** Small rooms on many nodes: each has members on this many of them. */
const NODES = ["0", "1", "2", "3", "4", "5"];
const NODES_OF_A_ROOM = 2;
const ROOMS = 30;
const MESSAGES = 20;
/** Against which what nodes tell of themselves hardly counts. */
const TEXT = "m".repeat(200);

/** Nodes hear what they need and nothing else. */
export function interestCases(suite: ClusterSuite): void {
  suite.test("after synced(), messages of other nodes arrive", async (stage) => {
    const guest = await stage.connect(0);
    for (let round = 0; round < 10; round++) {
      const room = `room ${round}`;
      guest.socket.join(room);
      await stage.hub(0).synced(room);
      stage.hub(1).to(room).send(room);
    }
    const heard = (await stage.heard([guest]))[0] as string[];
    assert.equal(heard.length, 10);
  });

  suite.test("a room that was left and entered again is heard all the time", async (stage) => {
    const [guest] = await stage.guests(["x"], [], []);
    assert.ok(guest !== undefined);
    for (let round = 0; round < 20; round++) {
      guest.socket.leave("x");
      guest.socket.join("x");
      stage.hub(1).to("x").send("m");
    }
    await stage.settled();
    await stage.synced();
    stage.hub(1).to("x").send("last");
    assert.deepEqual(((await stage.heard([guest]))[0] as string[]).length, 21);
  });

  suite.test(
    "a room that everybody has left is not heard any more, and is again with the next member",
    async (stage) => {
      const [guest] = await stage.guests(["x"], [], []);
      assert.ok(guest !== undefined);
      guest.socket.leave("x");
      const hear = async (): Promise<boolean> => {
        const before = trafficOf(stage, 0).unneeded;
        stage.hub(1).to("x").send("m");
        await stage.settled();
        return trafficOf(stage, 0).unneeded > before;
      };
      for (let isHeard = true; isHeard; isHeard = await hear());
      guest.socket.join("x");
      await stage.hub(0).synced("x");
      stage.hub(1).to("x").send("again");
      assert.deepEqual(await stage.heard([guest]), [["again"]]);
    },
  );

  suite.test("a node without sockets hears no broadcast", async (stage) => {
    const guest = await stage.connect(0);
    await stage.synced();
    const before = trafficOf(stage, 2).received;
    for (let index = 0; index < 50; index++) stage.hub(1).send(`${index}`);
    assert.equal(((await stage.heard([guest]))[0] as string[]).length, 50);
    // The fences, and what nodes tell of themselves.
    assert.ok(trafficOf(stage, 2).received - before < 20);
  });

  suite.many("with many nodes and small rooms, hardly a byte comes that is not needed", NODES, {}, async (stage) => {
    const guests: Guest[] = [];
    for (let room = 0; room < ROOMS; room++) {
      for (let member = 0; member < NODES_OF_A_ROOM; member++) {
        guests.push(await seatIn(stage, (room + member) % NODES.length, `room ${room}`));
      }
    }
    await stage.synced();
    const before = stage.hubs.map((_, index) => trafficOf(stage, index));
    const emitter = createEmitter(stage.createBackplane());
    for (let index = 0; index < MESSAGES; index++) {
      for (let room = 0; room < ROOMS; room++) emitter.to(`room ${room}`).send(TEXT);
    }
    await emitter.close();
    await until("all have arrived", () => {
      return sum(stage, before, (traffic) => traffic.received) >= NODES_OF_A_ROOM * ROOMS;
    });
    for (const heard of await stage.heard(guests)) assert.equal((heard as string[]).length, MESSAGES);

    const received = sum(stage, before, (traffic) => traffic.receivedBytes);
    const needed = received - sum(stage, before, (traffic) => traffic.unneededBytes + traffic.echoedBytes);
    // What the members needed, had it come without any envelope: the rest is the whole cost of the cluster.
    const payload = TEXT.length * MESSAGES * ROOMS * NODES_OF_A_ROOM;
    assert.ok(received / needed <= 1.05, `${received} bytes came in, ${needed} of them needed`);
    assert.ok(received / payload <= 1.2, `${received} bytes came in for ${payload} of payload`);
  });
}

function trafficOf(stage: ClusterStage, index: number): Readonly<Traffic> {
  const { cluster } = stage.hub(index).stats();
  assert.ok(cluster !== undefined);
  return cluster;
}

function sum(
  stage: ClusterStage,
  before: readonly Readonly<Traffic>[],
  figure: (traffic: Readonly<Traffic>) => number,
): number {
  return before.reduce((total, then, index) => total + figure(trafficOf(stage, index)) - figure(then), 0);
}

async function seatIn(stage: ClusterStage, node: number, room: string): Promise<Guest> {
  const guest = await stage.connect(node);
  guest.socket.join(room);
  return guest;
}
