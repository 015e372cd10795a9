import { expect, test } from "vitest";
import { nodeKilled, shuffled } from "./faults.ts";
import { HANDOVERS, HONEST, MOST_TIME, prove, seed } from "./proof.ts";
import type { Engine, Fault } from "./run.ts";

const primary: Engine = { addressFor: () => ({ kind: "cluster" }), proxiesOf: () => [], hasPrimary: true };

const primaryFrozen: Fault = {
  name: "the primary process stands still",
  causes: ["unavailable"],
  happen: async (run) => {
    run.primary.freeze();
    await run.wait(200, 700);
    run.primary.thaw();
  },
};

const primaryKilled: Fault = {
  name: "the primary process is killed, with all its workers",
  causes: ["epoch", "unavailable"],
  happen: (run) => run.replaceAll(),
};

test("over node:cluster, clients hear everything or are told of a gap", { timeout: MOST_TIME }, async () => {
  expect(
    await prove(primary, [
      ...shuffled(seed, [...HANDOVERS, primaryFrozen, primaryFrozen]),
      ...shuffled(seed, [primaryKilled, primaryFrozen, nodeKilled]),
    ]),
  ).toEqual(HONEST);
});
