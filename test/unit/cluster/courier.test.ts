import { beforeEach, expect, test } from "vitest";
import { setImmediate as turn } from "node:timers/promises";
import { Courier } from "../../../src/cluster/courier.ts";
import { noTraffic, type Traffic } from "../../../src/cluster/traffic.ts";
import { createDeferred, type Deferred } from "../../../src/deferred.ts";

const ENVELOPE = Buffer.from("envelope");

let published: string[];
let taken: Deferred;
let failures: unknown[];
let traffic: Traffic;

beforeEach(() => {
  published = [];
  failures = [];
  taken = createDeferred();
  traffic = noTraffic();
});

function createCourier(maxPendingBytes: number): Courier {
  const courier = new Courier({
    backplane: {
      ordered: true,
      start: () => {},
      publish: (channel) => {
        published.push(channel);
        return taken.promise;
      },
      subscribe: async () => {},
      unsubscribe: () => {},
      close: async () => {},
    },
    node: "0123456789",
    maxPendingBytes,
    traffic,
    report: { failed: (error) => failures.push(error) },
  });
  courier.open();
  return courier;
}

test("the copies of an envelope leave together: at once if nothing is under way, otherwise at the end of the turn", async () => {
  const courier = createCourier(1_000);
  courier.send(["a", "b"], ENVELOPE);
  expect(published).toEqual(["a", "b"]);
  courier.send(["b", "c"], ENVELOPE);
  courier.send(["c"], ENVELOPE);
  expect(published).toEqual(["a", "b"]);
  await turn();
  // What goes to one channel in a row is one message.
  expect(published).toEqual(["a", "b", "b", "c"]);
});

test("the copies of an envelope that is too much for the engine are lost together, and each is counted", async () => {
  const courier = createCourier(2 * ENVELOPE.length);
  courier.send(["a", "b", "c"], ENVELOPE);
  expect([published, traffic.lost, failures.length]).toEqual([[], 3, 1]);
  courier.send(["a", "b"], ENVELOPE);
  expect(published).toEqual(["a", "b"]);
  courier.send(["a"], ENVELOPE);
  taken.resolve();
  await turn();
  courier.send(["d"], ENVELOPE);
  expect([published, traffic.lost]).toEqual([["a", "b", "d"], 4]);
});
