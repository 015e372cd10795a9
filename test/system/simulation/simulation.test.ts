import { expect, test } from "vitest";
import { Simulation } from "roomcast/testing";
import { scenarioOf } from "../../../examples/simulation/scenario.ts";

/** The number of events that clients hear in all. `npm run simulate` goes on for longer. */
const DELIVERIES = 1_000_000;

test("in a million deliveries under all faults nothing is lost silently, or comes twice", async () => {
  const gaps = new Set<string>();
  let deliveries = 0;
  for (let seed = 1_000; deliveries < DELIVERIES; seed++) {
    const { counts, violations } = await new Simulation(scenarioOf(seed)).run();
    expect({ seed, violations }).toStrictEqual({ seed, violations: [] });
    deliveries += counts.deliveries;
    for (const reason of Object.keys(counts.gaps)) gaps.add(reason);
  }
  // The faults have done what they are there for.
  expect([...gaps].toSorted()).toStrictEqual(["epoch", "hole", "overrun", "trimmed", "unavailable"]);
}, 300_000);
