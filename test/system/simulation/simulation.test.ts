import { expect, test } from "vitest";
import { Simulation } from "roomcast/testing";
import { presenceOf } from "../../../examples/simulation/presence.ts";
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

test.each([
  { isCalm: false, seeds: 40 },
  { isCalm: true, seeds: 8 },
])(
  "all nodes and clients know who is present, and somebody acts on each departure, in $seeds seeds (calm: $isCalm)",
  async ({ isCalm, seeds }) => {
    let acts = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const { presence, violations } = await new Simulation(presenceOf(seed, { isCalm, duration: 12_000 })).run();
      expect({ seed, violations }).toStrictEqual({ seed, violations: [] });
      acts += presence.acts;
    }
    expect(acts).toBeGreaterThan(seeds);
  },
  300_000,
);
