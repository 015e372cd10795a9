import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spread } from "../../../bench/report/charts/spread.ts";

describe("labels that are spread", () => {
  it("stay where they want to be while there is room", () => {
    expect(spread([10, 80, 40], 15, 0, 100)).toEqual([10, 80, 40]);
  });

  it("move apart around their middle, and inwards at the ends", () => {
    expect(spread([50, 50], 10, 0, 100)).toEqual([45, 55]);
    expect(spread([0, 0, 0], 10, 0, 100)).toEqual([0, 10, 20]);
    expect(spread([100, 99], 10, 0, 100)).toEqual([100, 90]);
  });

  it("never come closer than the gap, keep their order, and stay inside", () => {
    const wanted = fc.array(fc.double({ min: -50, max: 350, noNaN: true }), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(wanted, (places) => {
        const found = spread(places, 20, 0, 300);
        const order = places.map((_, index) => index).toSorted((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
        const sorted = order.map((index) => found[index] ?? Number.NaN);
        expect(sorted[0]).toBeGreaterThanOrEqual(0);
        expect(sorted.at(-1)).toBeLessThanOrEqual(300);
        for (const [index, place] of sorted.slice(1).entries()) {
          expect(place - (sorted[index] ?? 0)).toBeGreaterThan(20 - 1e-9);
        }
      }),
    );
  });
});
