import { expect, test } from "vitest";
import type { Engine } from "../recovery/run.ts";
import { MOST_TIME, provePresence } from "./proof.ts";

const primary: Engine = { addressFor: () => ({ kind: "cluster" }), proxiesOf: () => [], hasPrimary: true };

test("over node:cluster, everybody knows who is there, and nobody flickers", { timeout: MOST_TIME }, async () => {
  expect(await provePresence(primary)).toEqual([]);
});
