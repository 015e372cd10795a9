import { expect, test } from "vitest";
import { scenario } from "./scenario.ts";

const SEEDS = 200;

test("with random faults, every node hears the log of a room once and in order, or is told of a gap", async () => {
  let [told, gaps, holes, again] = [0, 0, 0, 0];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await scenario(seed);
    expect({ seed, violations: outcome.violations.slice(0, 5) }).toStrictEqual({ seed, violations: [] });
    told += outcome.told;
    gaps += outcome.gaps;
    holes += outcome.holes;
    again += outcome.again;
  }
  // The faults have done what they are there for.
  expect(Math.min(told / 10_000, gaps / 100, holes / 100, again)).toBeGreaterThan(1);
});

test("without faults there are no gaps, no holes and no reads but the first", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { violations, gaps, holes, again, reads, follows } = await scenario(seed, true);
    expect({ seed, violations, gaps, holes, again, reads }).toStrictEqual({
      seed,
      violations: [],
      gaps: 0,
      holes: 0,
      again: 0,
      reads: follows,
    });
  }
});
