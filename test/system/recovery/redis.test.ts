import { describe, expect, test } from "vitest";
import { engineCut, nodeDrained, nodeKilled, shuffled } from "./faults.ts";
import { COMPLETE, HANDOVERS, HONEST, MOST_TIME, OUTAGES, PROGRAMS, prove, seed } from "./proof.ts";
import { ClusterRedis, SentinelRedis, SingleRedis } from "./redis-engines.ts";

/** Until these are over, no client is told of a gap. */
const mild = shuffled(seed, [...HANDOVERS, ...OUTAGES]);

describe.concurrent("clients hear everything or are told of a gap, over", { timeout: MOST_TIME }, () => {
  test("one Redis server", async (t) => {
    const engine = await SingleRedis.start(PROGRAMS);
    t.onTestFinished(() => engine.stop());
    const { restarted, flushed, evicted, full } = engine;
    expect(
      await prove(engine, [
        ...mild,
        ...shuffled(seed, [restarted, flushed, evicted, full, restarted, engineCut, nodeKilled]),
      ]),
    ).toEqual(HONEST);
  });

  test("Redis servers that Sentinel watches", async (t) => {
    const engine = await SentinelRedis.start(PROGRAMS);
    t.onTestFinished(() => engine.stop());
    expect(await prove(engine, [...mild, engine.failedOver])).toEqual(HONEST);
  });

  test("a Redis Cluster", async (t) => {
    const engine = await ClusterRedis.start(PROGRAMS);
    t.onTestFinished(() => engine.stop());
    const { restarted } = engine;
    expect(await prove(engine, [...mild, ...shuffled(seed, [restarted, restarted, engineCut, nodeKilled])])).toEqual(
      HONEST,
    );
  });
});

test("when nodes are drained, clients hear everything, and of no gap", { timeout: MOST_TIME }, async (t) => {
  const engine = await SingleRedis.start(PROGRAMS);
  t.onTestFinished(() => engine.stop());
  const settings = { nodes: 2, deliveries: 20_000 };
  expect(await prove(engine, [nodeDrained, nodeDrained, nodeDrained], settings)).toEqual(COMPLETE);
});
