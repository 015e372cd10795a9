import { expect, test } from "vitest";
import { Simulation } from "roomcast/testing";
import { scenarioOf } from "../../../simulation/scenario.ts";

const SEEDS = 30;
const SHORT = { duration: 3_000 };

async function journalOf(seed: number): Promise<readonly string[]> {
  const { journal } = await new Simulation({ ...scenarioOf(seed), journal: true }).run();
  return journal;
}

test("every member of a recorded room hears every event once and in order, or is told of a gap, whatever goes wrong", async () => {
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
  expect(Object.keys(gaps).toSorted()).toStrictEqual(["epoch", "overrun", "trimmed"]);
});

test("without faults there are no gaps", async () => {
  for (let seed = 1; seed <= 6; seed++) {
    const { counts, violations } = await new Simulation(scenarioOf(seed, { ...SHORT, isCalm: true })).run();
    expect({ seed, violations, gaps: counts.gaps }).toStrictEqual({ seed, violations: [], gaps: {} });
  }
});

test("a seed is the same run, step by step", async () => {
  const first = await journalOf(7);
  expect(first.length).toBeGreaterThan(1_000);
  expect(await journalOf(7)).toStrictEqual(first);
});
