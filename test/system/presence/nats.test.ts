import { expect, test } from "vitest";
import { NatsEngine } from "../recovery/nats-engine.ts";
import { MOST_TIME, provePresence } from "./proof.ts";

test("over NATS, everybody knows who is there, and nobody flickers", { timeout: MOST_TIME }, async (t) => {
  const engine = await NatsEngine.start("memory", 3);
  t.onTestFinished(() => engine.stop());
  expect(await provePresence(engine, (pause) => engine.restart(pause))).toEqual([]);
});
