import { VirtualClock } from "roomcast/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { nodeChannel, roomChannel, userChannel } from "../../../src/cluster/channels.ts";
import { PendingMoves } from "../../../src/cluster/pending-moves.ts";
import { createDeferred, type Deferred } from "../../../src/deferred.ts";
import { RAISING } from "../../support/raising.ts";

const A = nodeChannel("a");
const B = nodeChannel("b");
const ALL = "nodes";
const ROUTE = roomChannel("one");

let asked: (readonly string[])[];
let confirmed: Deferred;
let refused: readonly string[];
let isAcquainted: boolean;
let clock: VirtualClock;

beforeEach(() => {
  asked = [];
  confirmed = createDeferred();
  refused = [];
  isAcquainted = true;
  clock = new VirtualClock();
});

function createMoves(isOrdered: boolean): PendingMoves {
  return new PendingMoves({
    clock,
    guardian: RAISING,
    isOrdered,
    isAcquainted: () => isAcquainted,
    ask: async (channels) => {
      asked.push(channels);
      await confirmed.promise;
      return refused;
    },
  });
}

/** The nodes that were asked confirm everything. */
async function confirm(): Promise<void> {
  const { resolve } = confirmed;
  confirmed = createDeferred();
  resolve();
  await clock.advance(0);
}

describe("PendingMoves of an engine that keeps the order of all channels", () => {
  test("what is sent to a room goes to the nodes of its new members until they have confirmed it", async () => {
    const moves = createMoves(true);
    expect(moves.widened([ROUTE], ["one"])).toEqual([ROUTE]);
    moves.add(["one"], [A]);
    expect(moves.widened([ROUTE], ["one"])).toEqual([ROUTE, A]);
    expect(moves.widened([ROUTE, A], ["one"])).toEqual([ROUTE, A]);
    expect(moves.widened([ROUTE], ["two"])).toEqual([ROUTE]);
    await confirm();
    expect(moves.widened([ROUTE], ["one"])).toEqual([ROUTE]);
    expect(asked).toEqual([[A]]);
  });

  test("the rooms that a node cannot hear are told to whoever waits for them", async () => {
    const moves = createMoves(true);
    moves.add(["one", "two"], [A]);
    const settled = Promise.allSettled([moves.settled("one"), moves.settled("two"), moves.settled()]);
    // A room into which nothing was moved is of no concern here.
    refused = ["another", "two"];
    await confirm();
    const reason = { code: "ERR_HUB_BACKPLANE", message: expect.stringContaining('"two"') };
    expect(await settled).toMatchObject([{ status: "fulfilled" }, { reason }, { reason }]);
  });

  test("a room whose new members may be on any node goes to all", () => {
    const moves = createMoves(true);
    moves.add(["one"], [roomChannel("two"), userChannel("ann")]);
    expect(moves.widened([ROUTE], ["one"])).toEqual([ROUTE, ALL]);
    expect(asked).toEqual([[ALL]]);
  });

  test("any number of moves costs one question, and one more for those that are made meanwhile", async () => {
    const moves = createMoves(true);
    moves.add(["zero"], [A]);
    for (let number = 0; number < 100; number++) moves.add([`${number}`, "one"], [number % 2 === 0 ? A : B]);
    const settled: unknown[] = [];
    for (const room of ["zero", "one", undefined, "other"]) void moves.settled(room).then(() => settled.push(room));
    await clock.advance(0);
    expect([asked, settled]).toEqual([[[A]], ["other"]]);
    await confirm();
    expect([asked, settled]).toEqual([
      [[A], [A, B]],
      ["other", "zero"],
    ]);
    expect(moves.widened([ROUTE], ["one"])).toEqual([ROUTE, A, B]);
    await confirm();
    expect([asked.length, settled]).toEqual([2, ["other", "zero", "one", undefined]]);
    moves.add(["zero"], [B]);
    expect(asked.at(-1)).toEqual([B]);
  });

  test("all nodes are asked at most twenty times a second", async () => {
    const moves = createMoves(true);
    moves.add(["one"], [ROUTE]);
    await confirm();
    moves.add(["two"], [ROUTE]);
    await clock.advance(49);
    expect(asked).toHaveLength(1);
    expect(moves.widened([ROUTE], ["two"])).toEqual([ROUTE, ALL]);
    await clock.advance(1);
    expect(asked).toHaveLength(2);
  });

  test("until all nodes are known, all are asked", () => {
    isAcquainted = false;
    createMoves(true).add(["one"], [A]);
    expect(asked).toEqual([[ALL]]);
  });
});

describe("PendingMoves of an engine that keeps the order of each channel", () => {
  test("what is sent to a room goes to the room alone, where nothing overtakes it", () => {
    const moves = createMoves(false);
    moves.add(["one"], [A]);
    expect(moves.widened([ROUTE], ["one"])).toEqual([ROUTE]);
  });

  test("a question that could overtake the moves is asked a second later", async () => {
    const moves = createMoves(false);
    moves.add(["one"], [A]);
    expect(asked).toEqual([[A]]);
    moves.add(["one"], [ROUTE]);
    await confirm();
    await clock.advance(999);
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    expect(asked).toEqual([[A], [ALL]]);
  });
});

test("whoever waits when the hub closes is told, and no timer is left", async () => {
  const moves = createMoves(false);
  moves.add(["one"], [ROUTE]);
  const settled = moves.settled("one");
  moves.stop();
  await expect(settled).rejects.toMatchObject({ code: "ERR_HUB_CLOSED" });
  expect(clock.timers).toBe(0);
});
