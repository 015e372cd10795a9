import { expect, test } from "vitest";
import { SingleRedis } from "../recovery/redis-engines.ts";
import { MOST_TIME, provePresence } from "./proof.ts";

test("over Redis, everybody knows who is there, and nobody flickers", { timeout: MOST_TIME }, async (t) => {
  const engine = await SingleRedis.start(3);
  t.onTestFinished(() => engine.stop());
  expect(await provePresence(engine, (pause) => engine.restart(pause))).toEqual([]);
});
