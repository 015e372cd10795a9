import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteBudget } from "../../../src/limits/byte-budget.ts";

const MIB = 1024 * 1024;

/** Takes pieces for an owner until no more is allowed, and returns how much that was. */
function takeAll(budget: ByteBudget, owner: string, piece: number): number {
  let taken = 0;
  while (budget.allows(owner, piece)) {
    budget.take(owner, piece);
    taken += piece;
  }
  return taken;
}

describe("A budget of bytes", () => {
  test("gives one owner a third, and what is left to others by halves", () => {
    const budget = new ByteBudget(3 * MIB);
    expect(takeAll(budget, "a", 1024)).toBe(MIB);
    expect(takeAll(budget, "b", 1024)).toBe(Math.ceil((2 * MIB) / 3 / 1024) * 1024);
    expect(budget.allows("a", 1024)).toBe(false);
    expect(budget.allows("c", 1024)).toBe(true);
  });

  test("keeps its last eighth for small messages", () => {
    const budget = new ByteBudget(8 * MIB);
    budget.take("a", 7 * MIB);
    expect(budget.allows("b", 4_096)).toBe(false);
    expect(budget.allows("b", 4_095)).toBe(true);
  });

  test("may have more bytes than 32 bits count", () => {
    for (const most of [2 ** 31, 2 ** 32, 2 ** 35]) {
      const budget = new ByteBudget(most);
      budget.take("a", (most / 8) * 7);
      expect(budget.allows("b", 4_096)).toBe(false);
      expect(budget.allows("b", 4_095)).toBe(true);
    }
  });

  test("is never exceeded, and is whole again when all is given back", () => {
    const takes = fc.array(
      fc.record({ owner: fc.constantFrom("a", "b", "c"), weight: fc.integer({ min: 1, max: MIB }) }),
    );
    const property = fc.property(takes, (wishes) => {
      const budget = new ByteBudget(4 * MIB);
      const granted = wishes.filter(({ owner, weight }) => {
        const isAllowed = budget.allows(owner, weight);
        if (isAllowed) budget.take(owner, weight);
        return isAllowed;
      });
      expect(budget.bytes).toBeLessThanOrEqual(4 * MIB);
      const peak = budget.bytes;
      for (const { owner, weight } of granted) budget.giveBack(owner, weight);
      expect(budget.bytes).toBe(0);
      expect(budget.peak).toBe(peak);
      expect(takeAll(budget, "a", 1024)).toBe(takeAll(new ByteBudget(4 * MIB), "a", 1024));
    });
    fc.assert(property);
  });
});
