import { expect, test } from "vitest";
import { Hub } from "roomcast";
import { shrinkFaults, Simulation, type SimulationOptions } from "roomcast/testing";
import { scenarioOf } from "../../../examples/simulation/scenario.ts";

const SEEDS = 30;
const SHORT = { duration: 3_000 };

async function journalOf(nodes: number): Promise<readonly string[]> {
  const { journal } = await new Simulation({ ...scenarioOf(7, SHORT), nodes, engine: nodes > 1, journal: true }).run();
  return journal;
}

test("every member of a recorded room hears every event once and in order, or is told of a gap", async () => {
  const gaps: Record<string, number> = {};
  let [deliveries, recoveries, slow] = [0, 0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { counts, violations } = await new Simulation(scenarioOf(seed, SHORT)).run();
    expect({ seed, violations }).toStrictEqual({ seed, violations: [] });
    deliveries += counts.deliveries;
    recoveries += counts.recoveries;
    slow += counts.slow;
    for (const [reason, count] of Object.entries(counts.gaps)) gaps[reason] = (gaps[reason] ?? 0) + count;
  }
  // The faults have done what they are there for.
  expect(Math.min(deliveries / 10_000, recoveries / 50, slow)).toBeGreaterThan(1);
  expect(Object.keys(gaps).toSorted()).toStrictEqual(["epoch", "hole", "overrun", "trimmed"]);
});

test("without faults there are no gaps, and a node reads the log of a room once", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const scenario = scenarioOf(seed, { ...SHORT, isCalm: true });
    const { counts, reads, violations } = await new Simulation(scenario).run();
    expect({ seed, violations, gaps: counts.gaps }).toStrictEqual({ seed, violations: [], gaps: {} });
    expect(reads).toBeLessThanOrEqual((scenario.nodes ?? 0) * Object.keys(scenario.rooms).length);
  }
});

test.each([1, 3])("a seed is the same run on %s nodes, step by step", async (nodes) => {
  const first = await journalOf(nodes);
  expect(first.length).toBeGreaterThan(300);
  expect(await journalOf(nodes)).toStrictEqual(first);
});

test("a script of faults is shrunk to those without which the simulation does not fail", async () => {
  // The hub keeps less than it should.
  const options: SimulationOptions = {
    seed: 2,
    nodes: 1,
    engine: false,
    clients: 3,
    duration: 2_000,
    pause: 200,
    rooms: { lobby: { size: 100, age: 120_000 } },
    hub: (basis) =>
      new Hub({ ...basis, joinable: () => true, history: { rooms: { lobby: { size: 10, age: 120_000 } } } }),
  };
  const faults = (await shrinkFaults(options)) ?? [];
  expect(faults).toHaveLength(1);
  const { violations } = await new Simulation({ ...options, faults }).run();
  expect(violations[0]).toContain('a gap "trimmed" in lobby');
  expect(await shrinkFaults({ ...options, faults: [] })).toBeUndefined();
});
