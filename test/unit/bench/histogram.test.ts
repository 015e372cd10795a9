import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GREATEST, Histogram } from "../../../bench/receivers/histogram.ts";
import { merge, percentile, type Entries } from "../../../bench/statistics/latencies.ts";

const SEED = 20_261_123;

/** All sizes alike, not mostly large ones. */
const latency = fc
  .tuple(fc.nat(26), fc.nat(GREATEST))
  .map(([bits, value]) => Math.min(GREATEST, value % 2 ** (bits + 1)));

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

function expanded(entries: Entries): readonly number[] {
  return entries.flatMap(([value, count]) => Array.from({ length: count }, () => value));
}

describe("Histogram", () => {
  test("is right to one per cent, for every value", () => {
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1 }), (values) => {
        const sorted = values.toSorted((a, b) => a - b);
        const found = expanded(histogramOf(values).entries());
        expect(found).toHaveLength(sorted.length);
        for (const [index, value] of sorted.entries()) {
          expect(Math.abs((found[index] as number) - value)).toBeLessThanOrEqual(value / 100);
        }
      }),
      { seed: SEED },
    );
  });

  test("has exact classes up to 127, and each class next to the one before", () => {
    const values = Array.from({ length: 100_000 }, (_, value) => value);
    const found = expanded(histogramOf(values).entries());
    expect(found.slice(0, 128)).toEqual(values.slice(0, 128));
    expect(found.every((value, index) => Math.abs(value - index) <= index / 100)).toBe(true);
  });

  test("is in ascending order, without empty classes", () => {
    expect(histogramOf([5_000, 7, 7, 0]).entries()).toEqual([
      [0, 1],
      [7, 2],
      [expect.closeTo(5_000, -2) as number, 1],
    ]);
  });

  test("counts what is longer than two minutes in its last class", () => {
    const [greatest] = histogramOf([GREATEST]).entries();
    expect(histogramOf([GREATEST, GREATEST + 1, 60 * 60 * 1e6, 2 ** 36]).entries()).toEqual([[greatest?.[0], 4]]);
  });

  test("can be used again", () => {
    const histogram = histogramOf([1, 2_000]);
    histogram.clear();
    expect(histogram.entries()).toEqual([]);
    histogram.record(3);
    expect(histogram.entries()).toEqual([[3, 1]]);
  });
});

describe("percentile", () => {
  test("is the smallest value that so many do not exceed", () => {
    const values = fc.array(fc.nat(127), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, fraction) => {
        const sorted = list.toSorted((a, b) => a - b);
        const rank = Math.max(1, Math.ceil(fraction * sorted.length));
        expect(percentile(histogramOf(list).entries(), fraction)).toBe(sorted[rank - 1]);
      }),
      { seed: SEED },
    );
  });

  test("counts how often each value occurred", () => {
    const entries: Entries = [
      [10, 990],
      [500, 9],
      [9_000, 1],
    ];
    expect([0.5, 0.99, 0.991, 0.999, 1].map((fraction) => percentile(entries, fraction))).toEqual([
      10, 10, 500, 500, 9_000,
    ]);
  });

  test("of nothing is nothing", () => {
    expect(percentile([], 0.5)).toBeNaN();
  });
});

test("merge gives what one histogram of all values would have given", () => {
  fc.assert(
    fc.property(fc.array(fc.array(latency)), (lists) => {
      expect(merge(lists.map((list) => histogramOf(list).entries()))).toEqual(histogramOf(lists.flat()).entries());
    }),
    { seed: SEED },
  );
});
