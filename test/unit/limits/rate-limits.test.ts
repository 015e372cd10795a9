import { VirtualClock } from "roomcast/testing";
import { expect, test, vi } from "vitest";
import { resolveHubOptions } from "../../../src/hub/options.ts";
import { RateLimits, type Rated } from "../../../src/limits/rate-limits.ts";
import { TokenBucket } from "../../../src/limits/token-bucket.ts";
import { guardedClock } from "../../../src/time/guarded-clock.ts";

function leaving(rates: RateLimits, owner: string): void {
  const client: Rated = { allowance: undefined, owners: [owner], connection: {}, chargedBytes: 0 };
  rates.charge(client, 1, 1);
  rates.park(client);
}

test("allowances go on being looked through after that has failed once", async () => {
  const clock = new VirtualClock();
  const errors: unknown[] = [];
  const rates = new RateLimits(
    resolveHubOptions({}).limits,
    guardedClock(clock, { error: (error) => errors.push(error) }),
  );
  leaving(rates, "ann");
  vi.spyOn(TokenBucket.prototype, "isFull").mockImplementationOnce(() => {
    throw new Error("injected");
  });
  await clock.advance(1_000);
  expect(errors).toHaveLength(1);
  leaving(rates, "bob");
  expect(clock.timers).toBe(1);
  await clock.advance(1_000);
  expect([errors.length, clock.timers]).toEqual([1, 0]);
});
