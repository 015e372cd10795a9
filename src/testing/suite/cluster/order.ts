import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { Guest } from "../guest.ts";
import type { ClusterSuite } from "./cluster-suite.ts";

/** So many messages each hub sends. */
const COUNT = 300;

/** The order of what comes from one node. */
export function orderCases(suite: ClusterSuite): void {
  suite.test("everybody hears each node in its order, and all of it", async (stage) => {
    const guests = await stage.guests(["x"], ["x"], ["x"]);
    await Promise.all(
      stage.hubs.map(async (hub, node) => {
        for (let number = 0; number < COUNT; number++) {
          hub.to("x").send(`${node} ${number}`);
          // Sometimes in one turn of the event loop, sometimes in several.
          if (number % 7 === node) await turn();
        }
      }),
    );
    await assertOrdered(await stage.heard(guests), stage.hubs.length);
  });

  suite.test("a room and its unions are in order for those who are in no other of the rooms", async (stage) => {
    const guests = await stage.guests(["x"], ["x"], ["x", "other"]);
    const hub = stage.hub(0);
    for (let number = 0; number < COUNT; number++) {
      const target = number % 3 === 0 ? hub.to("x", "y", "z") : hub.to("x");
      target.send(`0 ${number}`);
      if (number % 50 === 0) await turn();
    }
    await assertOrdered(await stage.heard(guests), 1);
  });

  suite.test("what is sent before a leave arrives, and nothing behind it", async (stage) => {
    const guests = await stage.guests(["x"], ["x"], ["x"]);
    const room = stage.hub(0).to("x");
    room.send("in");
    room.leave("x");
    room.send("out");
    assert.deepEqual(await stage.heard(guests), [["in"], ["in"], ["in"]]);
    assert.deepEqual(rooms(guests), [[], [], []]);
  });

  suite.test("what is sent before a close arrives before it", async (stage) => {
    const guests = await stage.guests(["x"], ["x"], ["x"]);
    const room = stage.hub(0).to("x");
    room.send("1");
    room.send("2");
    room.close(4001, "enough");
    for (const guest of guests) {
      assert.deepEqual(await guest.rest(), ["1", "2"]);
      assert.deepEqual(await guest.client.closed, { code: 4001, reason: "enough" });
    }
  });

  suite.test("after a join everywhere, the room is heard", async (stage) => {
    const guests = await stage.guests(["x"], ["x"], ["x"]);
    stage.hub(0).to("x").join("y");
    await stage.settled();
    assert.deepEqual(rooms(guests), [
      ["x", "y"],
      ["x", "y"],
      ["x", "y"],
    ]);
    await stage.synced();
    stage.hub(2).to("y").send("m");
    assert.deepEqual(await stage.heard(guests), [["m"], ["m"], ["m"]]);
  });
}

function rooms(guests: readonly Guest[]): string[][] {
  return guests.map(({ socket }) => [...socket.rooms]);
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
