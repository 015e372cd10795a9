import { expect, test } from "vitest";
import { causing, nodeDrained, nodeFrozen, nodeKilled, shuffled } from "./faults.ts";
import { HONEST, MOST_TIME, prove, seed } from "./proof.ts";
import type { Engine } from "./run.ts";

const none: Engine = { addressFor: () => ({ kind: "none" }), proxiesOf: () => [] };

test("on one node, clients hear everything, or are told of a gap after its end", { timeout: MOST_TIME }, async () => {
  const ends = shuffled(seed, [nodeKilled, nodeKilled, nodeDrained]).map((fault) => causing(fault, "epoch"));
  expect(await prove(none, [nodeFrozen, ...ends], { nodes: 1, emitters: 0 })).toEqual(HONEST);
});
