import { describe, expect, it } from "vitest";
import { cutsOf, type CutPlan } from "../../../bench/recovery/cuts.ts";

const PLAN: CutPlan = { clients: 50, interval: 6, seconds: 60, seed: 1 };

describe("the schedule of cuts", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(cutsOf(PLAN)).toEqual(cutsOf(PLAN));
    expect(cutsOf(PLAN)).not.toEqual(cutsOf({ ...PLAN, seed: 2 }));
  });

  it("cuts every client, in time, as often as asked for, in every way", () => {
    const cuts = cutsOf(PLAN);
    expect(new Set(cuts.map(({ client }) => client)).size).toBe(50);
    expect(new Set(cuts.map(({ kind }) => kind))).toEqual(new Set(["both", "client", "torn"]));
    expect(cuts.map(({ time }) => time)).toEqual(cuts.map(({ time }) => time).toSorted((a, b) => a - b));
    expect(cuts.every(({ time }) => time >= 0 && time < 60_000)).toBe(true);
    expect(cuts.length / 50).toBeGreaterThan(8);
    expect(cuts.length / 50).toBeLessThan(12);
    const ofOne = cuts.filter(({ client }) => client === 7).map(({ time }) => time);
    for (const [index, time] of ofOne.slice(1).entries()) {
      expect(time - (ofOne[index] as number)).toBeGreaterThanOrEqual(3_000);
      expect(time - (ofOne[index] as number)).toBeLessThan(9_000);
    }
  });
});
