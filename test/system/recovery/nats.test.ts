import { describe, expect, test } from "vitest";
import { engineCut, nodeKilled, shuffled } from "./faults.ts";
import { NatsEngine } from "./nats-engine.ts";
import { HANDOVERS, HONEST, MOST_TIME, OUTAGES, PROGRAMS, prove, seed } from "./proof.ts";

const mild = [...HANDOVERS, ...OUTAGES];

describe.concurrent(
  "clients hear everything or are told of a gap, over NATS that records",
  { timeout: MOST_TIME },
  () => {
    test("in files, of which an end costs nothing", async (t) => {
      const engine = await NatsEngine.start("file", PROGRAMS);
      t.onTestFinished(() => engine.stop());
      const { restarted, wentBack } = engine;
      expect(
        await prove(engine, [
          ...shuffled(seed, [...mild, restarted, restarted]),
          ...shuffled(seed, [wentBack, restarted, nodeKilled]),
        ]),
      ).toEqual(HONEST);
    });

    test("in memory", async (t) => {
      const engine = await NatsEngine.start("memory", PROGRAMS);
      t.onTestFinished(() => engine.stop());
      const { restarted } = engine;
      expect(
        await prove(engine, [
          ...shuffled(seed, mild),
          ...shuffled(seed, [restarted, restarted, engineCut, nodeKilled]),
        ]),
      ).toEqual(HONEST);
    });
  },
);
