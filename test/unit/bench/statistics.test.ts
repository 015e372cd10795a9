import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bootstrap } from "../../../bench/statistics/bootstrap.ts";
import { merge, percentile } from "../../../bench/statistics/latencies.ts";
import { median } from "../../../bench/statistics/median.ts";
import { randomOf } from "../../../bench/statistics/random.ts";

const number = fc.double({ min: 0.001, max: 1e6, noNaN: true });

describe("the median", () => {
  it("is the middle, or the mean of the two in the middle", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([10, 1, 4, 2])).toBe(3);
    expect(median([])).toBeNaN();
  });
});

describe("the bootstrap interval", () => {
  it("holds the median and lies within the values", () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 9 }), fc.integer(), (values, seed) => {
        const { median: middle, low, high } = bootstrap(values, seed);
        expect(low).toBeLessThanOrEqual(middle);
        expect(high).toBeGreaterThanOrEqual(middle);
        expect(low).toBeGreaterThanOrEqual(Math.min(...values));
        expect(high).toBeLessThanOrEqual(Math.max(...values));
      }),
      { numRuns: 25 },
    );
  });

  it("is the same with the same seed", () => {
    const values = Array.from({ length: 40 }, (_, index) => Math.sin(index));
    expect(bootstrap(values, 7)).toEqual(bootstrap(values, 7));
    expect(bootstrap(values, 8)).not.toEqual(bootstrap(values, 7));
  });

  it("holds the true median of 95 of 100 samples, or nearly so", () => {
    const random = randomOf(3);
    let holds = 0;
    const experiments = 100;
    for (let experiment = 0; experiment < experiments; experiment++) {
      const { low, high } = bootstrap(
        Array.from({ length: 25 }, () => random()),
        experiment,
      );
      if (low <= 0.5 && high >= 0.5) holds++;
    }
    expect(holds).toBeGreaterThanOrEqual(88);
    expect(holds).toBeLessThan(experiments);
  });

  it("is wider for values that differ more", () => {
    const near = bootstrap([0.99, 1, 1.01, 1.02, 0.98], 1);
    const far = bootstrap([0.5, 1, 1.5, 2, 0.2], 1);
    expect(far.high - far.low).toBeGreaterThan(near.high - near.low);
  });
});

describe("percentiles of counted values", () => {
  it("are those of all the values that they stand for", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50), { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (values, fraction) => {
          const entries = merge(values.map((value) => [[value, 1]] as const));
          const sorted = values.toSorted((a, b) => a - b);
          expect(percentile(entries, fraction)).toBe(sorted[Math.ceil(fraction * sorted.length) - 1]);
        },
      ),
    );
  });
});
