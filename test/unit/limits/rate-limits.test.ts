import { VirtualClock } from "roomcast/testing";
import { expect, test, vi } from "vitest";
import { resolveHubOptions } from "../../../src/hub/options.ts";
import { RateLimits, type Rated } from "../../../src/limits/rate-limits.ts";
import { TokenBucket } from "../../../src/limits/token-bucket.ts";
import { guardedClock } from "../../../src/time/guarded-clock.ts";

function entering(rates: RateLimits, owner: string): Rated {
  const client: Rated = { allowance: undefined, owners: [owner], connection: {}, chargedBytes: 0, isDelayed: false };
  rates.enter(client);
  return client;
}

/** Uses up the rate of a client. */
function flood(rates: RateLimits, client: Rated): void {
  while (rates.delayOf(client) === 0) rates.charge(client, 1, 1);
}

function leaving(rates: RateLimits, owner: string): void {
  const client = entering(rates, owner);
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

test("a new connection of an owner that keeps four waiting shares what one of them has", async () => {
  const clock = new VirtualClock();
  const rates = new RateLimits(resolveHubOptions({}).limits, clock);
  const delayed = Array.from({ length: 3 }, () => entering(rates, "ann"));
  for (const client of delayed) flood(rates, client);
  const fourth = entering(rates, "ann");
  expect(rates.delayOf(fourth)).toBe(0);
  flood(rates, fourth);
  // However many come, and whoever leaves: they share one allowance, and others have their own.
  for (let count = 0; count < 100; count++) {
    const another = entering(rates, "ann");
    expect(rates.delayOf(another)).toBeGreaterThan(0);
    if (count % 2 === 0) rates.park(another);
  }
  expect(rates.delayOf(entering(rates, "bob"))).toBe(0);
  // Those who wait no more leave it to newcomers to begin anew.
  await clock.advance(10_000);
  for (const client of [...delayed, fourth]) expect(rates.delayOf(client)).toBe(0);
});

test("the closes for abuse of connections that come one after the other count together", async () => {
  const clock = new VirtualClock();
  const rates = new RateLimits(resolveHubOptions({}).limits, clock);
  for (let count = 0; count < 8; count++) {
    expect(rates.isBanned("ann")).toBe(false);
    const client = entering(rates, "ann");
    while (rates.violated(client, 1)) continue;
    rates.abused(client);
    rates.park(client);
  }
  expect(rates.isBanned("ann")).toBe(true);
  await clock.advance(61_000);
  expect(rates.isBanned("ann")).toBe(false);
});

test("the closes for abuse of a user count once for the address, however often the user has connected again", async () => {
  const clock = new VirtualClock();
  const rates = new RateLimits(resolveHubOptions({}).limits, clock);
  for (let count = 0; count < 8; count++) {
    expect(rates.isBanned("address")).toBe(false);
    const client: Rated = {
      allowance: undefined,
      owners: ["user", "address"],
      connection: {},
      chargedBytes: 0,
      isDelayed: false,
    };
    rates.enter(client);
    while (rates.violated(client, 1)) continue;
    rates.abused(client);
    rates.park(client);
    await clock.advance(count % 2 === 0 ? 1_000 : 1);
  }
  expect(rates.isBanned("address")).toBe(true);
});

test("what was sent to a client again is a debt that its next connection takes over", async () => {
  const clock = new VirtualClock();
  const limits = { ...resolveHubOptions({}).limits, replay: { perSecond: 100, burst: 1_000 } };
  const rates = new RateLimits(limits, clock);
  const first = entering(rates, "ann");
  expect(rates.replayDelayOf(first)).toBe(0);
  rates.chargeReplay(first, 1_200);
  const delay = rates.replayDelayOf(first);
  expect(delay).toBeGreaterThan(2_000);
  rates.park(first);
  const second = entering(rates, "ann");
  expect(rates.replayDelayOf(second)).toBe(delay);
  expect(rates.replayDelayOf(entering(rates, "bob"))).toBe(0);
  expect(rates.delayOf(second)).toBe(0);
  await clock.advance(delay);
  expect(rates.replayDelayOf(second)).toBe(0);
});
