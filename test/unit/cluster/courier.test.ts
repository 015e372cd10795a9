import { beforeEach, describe, expect, test } from "vitest";
import { setImmediate as turn } from "node:timers/promises";
import { Courier } from "../../../src/cluster/courier.ts";
import { noTraffic, type Traffic } from "../../../src/cluster/traffic.ts";
import { createDeferred, type Deferred } from "../../../src/deferred.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";

const ENVELOPE = Buffer.from("envelope");

let published: string[];
let sizes: number[];
/** Resolves when the engine confirms what was published since the last one resolved. */
let taken: Deferred;
let clock: VirtualClock;
let failures: unknown[];
let traffic: Traffic;

beforeEach(() => {
  published = [];
  sizes = [];
  failures = [];
  taken = createDeferred();
  clock = new VirtualClock();
  traffic = noTraffic();
});

function createCourier(maxPendingBytes: number): Courier {
  const courier = new Courier({
    backplane: {
      ordered: true,
      start: () => {},
      publish: (channel, { byteLength }) => {
        published.push(channel);
        sizes.push(byteLength);
        return channel === "mute" ? Promise.reject(new Error("not allowed")) : taken.promise;
      },
      subscribe: async () => {},
      unsubscribe: () => {},
      close: async () => {},
    },
    clock,
    node: "0123456789",
    maxPendingBytes,
    traffic,
    report: { failed: (error) => failures.push(error) },
  });
  return courier;
}

function openCourier(maxPendingBytes: number, maxBytes?: number): Courier {
  const courier = createCourier(maxPendingBytes);
  courier.open(maxBytes);
  return courier;
}

/** The engine confirms everything that is under way. */
async function confirm(): Promise<void> {
  const { resolve } = taken;
  taken = createDeferred();
  resolve();
  await turn();
}

test("the copies of an envelope leave together: at once if nothing is under way, otherwise at the end of the turn", async () => {
  const courier = openCourier(1_000);
  courier.send(["a", "b"], ENVELOPE);
  expect(published).toEqual(["a", "b"]);
  courier.send(["b", "c"], ENVELOPE);
  courier.send(["c"], ENVELOPE);
  expect(published).toEqual(["a", "b"]);
  await turn();
  // What goes to one channel in a row is one message.
  expect(published).toEqual(["a", "b", "b", "c"]);
});

test("what later turns send waits until the engine has confirmed everything before", async () => {
  const courier = openCourier(1_000);
  courier.send(["a"], ENVELOPE);
  courier.send(["b"], ENVELOPE);
  await turn();
  for (const channel of ["c", "d", "d"]) {
    courier.send([channel], ENVELOPE);
    // oxlint-disable-next-line no-await-in-loop
    await turn();
  }
  expect(published).toEqual(["a", "b"]);
  await confirm();
  expect(published).toEqual(["a", "b", "c", "d"]);
  courier.send(["e"], ENVELOPE);
  await turn();
  expect(published).toEqual(["a", "b", "c", "d"]);
  await confirm();
  await confirm();
  courier.send(["f"], ENVELOPE);
  expect(published).toEqual(["a", "b", "c", "d", "e", "f"]);
  expect(clock.timers).toBe(0);
});

test("what the engine does not confirm keeps nothing back for longer than 5 ms", async () => {
  const courier = openCourier(1_000);
  courier.send(["a"], ENVELOPE);
  courier.send(["a"], ENVELOPE);
  await turn();
  courier.send(["b"], ENVELOPE);
  await clock.advance(4);
  courier.send(["b"], ENVELOPE);
  expect(published).toEqual(["a", "a"]);
  await clock.advance(1);
  expect(published).toEqual(["a", "a", "b"]);
  courier.send(["c"], ENVELOPE);
  await clock.advance(5);
  expect(published).toEqual(["a", "a", "b", "c"]);
});

test("what waits for a confirmation leaves when the engine refuses that message, and not after an outage began", async () => {
  const courier = openCourier(1_000);
  courier.send(["a"], ENVELOPE);
  courier.send(["a"], ENVELOPE);
  await turn();
  courier.send(["b"], ENVELOPE);
  const { reject } = taken;
  taken = createDeferred();
  reject(new Error("refused"));
  await turn();
  expect([published, traffic.lost]).toEqual([["a", "a", "b"], 2]);
  courier.send(["c"], ENVELOPE);
  courier.shut();
  await confirm();
  expect([published, traffic.lost, clock.timers]).toEqual([["a", "a", "b"], 3, 0]);
});

test("the copies of an envelope that is too much for the engine are lost together, and each is counted", async () => {
  const courier = openCourier(2 * ENVELOPE.length);
  courier.send(["a", "b", "c"], ENVELOPE);
  expect([published, traffic.lost, failures.length]).toEqual([[], 3, 1]);
  courier.send(["a", "b"], ENVELOPE);
  expect(published).toEqual(["a", "b"]);
  courier.send(["a"], ENVELOPE);
  await confirm();
  courier.send(["d"], ENVELOPE);
  expect([published, traffic.lost]).toEqual([["a", "b", "d"], 4]);
});

test("bundles are no larger than the engine takes, also those that were made before it was connected", async () => {
  const courier = createCourier(100_000);
  for (let index = 0; index < 100; index++) courier.send(["a"], ENVELOPE);
  courier.open(200);
  await turn();
  for (let index = 0; index < 100; index++) courier.send(["a"], ENVELOPE);
  await confirm();
  expect(sizes.every((size) => size <= 200)).toBe(true);
  // A bundle has a head of 11 bytes, and each envelope a length of 1 byte.
  const bytes = sizes.reduce((sum, size) => sum + size - 11, 0);
  expect(bytes).toBe(200 * (ENVELOPE.length + 1));
  expect(sizes.length).toBeLessThan(40);
});

test("what is sent instead of a lost envelope is sent above the limit, and each lost copy is told", async () => {
  const courier = openCourier(2 * ENVELOPE.length);
  const instead: string[] = [];
  courier.send(["a", "b", "c"], ENVELOPE, () => {
    instead.push("lost");
    return [Buffer.from("1"), Buffer.from("2")];
  });
  await confirm();
  expect([instead.length, published, traffic.lost]).toEqual([3, ["a", "a", "b", "c"], 3]);
});

test("a bundle of many envelopes has 64 KiB at most, however much the engine takes", async () => {
  for (const maxBytes of [undefined, 1_000_000]) {
    sizes = [];
    const courier = openCourier(10_000_000, maxBytes);
    for (let index = 0; index < 1_000; index++) courier.send(["a"], Buffer.alloc(1_000));
    // oxlint-disable-next-line no-await-in-loop -- one engine after the other
    await turn();
    expect(Math.max(...sizes)).toBeLessThanOrEqual(64 * 1024);
    expect(Math.max(...sizes)).toBeGreaterThan(63 * 1024);
  }
});

describe("of messages that are lost, the first is reported", () => {
  test.each<[string, number, () => readonly [channel: string, envelope: Buffer]]>([
    ["which the engine does not take", 1_000_000, () => ["mute", ENVELOPE]],
    ["which are too large", 1_000, () => ["a", Buffer.alloc(1_001)]],
  ])("%s, whatever else the engine takes, until nothing was lost for a minute", async (_, maxPendingBytes, lose) => {
    taken.resolve();
    const courier = openCourier(maxPendingBytes);
    const loseOnce = async (): Promise<void> => {
      const [channel, envelope] = lose();
      courier.send(["fine"], ENVELOPE);
      await turn();
      courier.send([channel], envelope);
      await turn();
    };
    for (let count = 0; count < 50; count++) {
      // oxlint-disable-next-line no-await-in-loop
      await loseOnce();
      // oxlint-disable-next-line no-await-in-loop
      await clock.advance(50_000);
    }
    expect([traffic.lost, failures.length]).toEqual([50, 1]);
    await clock.advance(10_000);
    await loseOnce();
    expect([traffic.lost, failures.length]).toEqual([51, 2]);
  });

  test("on each connection, and none in an outage, which is reported itself", async () => {
    const courier = openCourier(1_000);
    for (const count of [1, 2, 3]) {
      for (let times = 0; times < 2; times++) {
        courier.send(["mute"], ENVELOPE);
        // oxlint-disable-next-line no-await-in-loop
        await turn();
      }
      expect(failures.length).toBe(count);
      courier.shut();
      courier.send(["mute"], ENVELOPE);
      courier.open();
    }
    expect(traffic.lost).toBe(9);
  });
});
