import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TokenBucket } from "../../../src/limits/token-bucket.ts";

/** A time as a clock tells it, so that what is exact here is exact there. */
const NOW = Date.UTC(2026, 0, 1);

describe("A bucket", () => {
  test("starts full and never holds more", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, NOW);
    expect(bucket.level(NOW)).toBe(5);
    expect(bucket.level(NOW + 60_000)).toBe(5);
    expect(bucket.take(1, NOW + 60_000)).toBe(4);
  });

  test("tells how much is left, also below zero", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, NOW);
    expect([3, 2, 1, 10].map((count) => bucket.take(count, NOW))).toStrictEqual([2, 0, -1, -11]);
    expect(bucket.level(NOW)).toBe(-11);
  });

  test("fills with time, also out of a debt", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, NOW);
    bucket.take(15, NOW);
    expect(bucket.level(NOW + 500)).toBe(-5);
    expect(bucket.level(NOW + 1_000)).toBe(0);
    expect(bucket.take(1, NOW + 1_200)).toBe(1);
    expect(bucket.level(NOW + 1_600)).toBe(5);
    expect(bucket.level(NOW + 1_700)).toBe(5);
  });

  test("is not changed by reading it", () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 5 }, NOW);
    bucket.take(5, NOW);
    expect(bucket.level(NOW + 3_000)).toBe(3);
    expect(bucket.level(NOW + 1_000)).toBe(1);
  });

  test("fills by less than one when less than one is due", () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, NOW);
    bucket.take(1, NOW);
    for (let quarter = 1; quarter <= 3; quarter++) bucket.take(0, NOW + quarter * 250);
    expect(bucket.level(NOW + 1_000)).toBe(1);
  });

  test("neither gains nor loses when time goes backwards, and fills from there on", () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 10 }, NOW);
    bucket.take(10, NOW);
    expect(bucket.level(NOW - 3_600_000)).toBe(0);
    expect(bucket.take(1, NOW - 3_600_000)).toBe(-1);
    expect(bucket.level(NOW - 3_600_000 + 2_000)).toBe(1);
  });

  test("counts to the last token when many are taken at once", () => {
    const burst = 32 * 1024 * 1024;
    const bucket = new TokenBucket({ perSecond: 4 * 1024 * 1024, burst }, NOW);
    for (let taken = 0; taken < 10_000; taken++) bucket.take(3_355, NOW);
    expect(bucket.level(NOW)).toBe(burst - 33_550_000);
  });

  test("gives at most the rate times the time and one burst to a client that takes no more than there is", () => {
    const step = fc.record({ wait: fc.integer({ min: -50, max: 2_000 }), count: fc.integer({ min: 0, max: 8 }) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), fc.array(step), (...given) => {
        const [perSecond, burst, steps] = given;
        const bucket = new TokenBucket({ perSecond, burst }, NOW);
        let now = NOW;
        let passed = 0;
        let taken = 0;
        for (const { wait, count } of steps) {
          now += wait;
          passed += Math.max(wait, 0);
          if (bucket.level(now) < count) continue;
          taken += count;
          bucket.take(count, now);
        }
        expect(taken).toBeLessThanOrEqual(burst + (passed * perSecond) / 1_000 + 1e-6);
        expect(bucket.level(now)).toBeGreaterThanOrEqual(burst - taken - 1e-6);
      }),
    );
  });
});
