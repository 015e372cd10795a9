import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Backoff } from "../../../src/client/backoff.ts";

const DELAYS = { minDelay: 500, maxDelay: 30_000, stableAfter: 10_000 } as const;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** The waits after so many ends with this code. */
function waits(backoff: Backoff, count: number, code = 1006): (number | undefined)[] {
  return Array.from({ length: count }, () => backoff.ended(code, undefined));
}

test("the range of the wait doubles with every failure, up to the longest", () => {
  vi.spyOn(Math, "random").mockReturnValue(1);
  expect(waits(new Backoff(DELAYS), 9)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test("the whole wait is random", () => {
  const random = vi.spyOn(Math, "random");
  const backoff = new Backoff(DELAYS);
  for (const [part, wait] of [
    [0, 0],
    [0.5, 500],
    [0.25, 500],
  ] as const) {
    random.mockReturnValue(part);
    expect(backoff.ended(1006, undefined)).toBe(wait);
  }
});

test("the wait stays finite and in its range after any number of failures", () => {
  vi.spyOn(Math, "random").mockReturnValue(1);
  expect(waits(new Backoff(DELAYS), 2_000).at(-1)).toBe(30_000);
});

test("a connection that was open for long enough resets the wait, a shorter one does not", () => {
  vi.spyOn(Math, "random").mockReturnValue(1);
  const backoff = new Backoff(DELAYS);
  expect(waits(backoff, 3)).toEqual([500, 1_000, 2_000]);
  backoff.opened();
  vi.advanceTimersByTime(9_999);
  expect(waits(backoff, 1)).toEqual([4_000]);
  backoff.opened();
  vi.advanceTimersByTime(10_000);
  expect(waits(backoff, 2)).toEqual([500, 1_000]);
  // What counts is the connection, not the time since.
  vi.advanceTimersByTime(100_000);
  expect(waits(backoff, 1)).toEqual([2_000]);
});

test.each([3_600_000, -3_600_000])(
  "a wall clock that is set by %d ms makes no connection stable or unstable",
  (step) => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const backoff = new Backoff(DELAYS);
    backoff.opened();
    vi.setSystemTime(Date.now() + step);
    vi.advanceTimersByTime(9_999);
    expect(waits(backoff, 2)).toEqual([500, 1_000]);
    backoff.opened();
    vi.setSystemTime(Date.now() + step);
    vi.advanceTimersByTime(10_000);
    expect(waits(backoff, 1)).toEqual([500]);
  },
);

test("a stable connection that ends with 42xx is followed by no wait", () => {
  vi.spyOn(Math, "random").mockReturnValue(1);
  const backoff = new Backoff(DELAYS);
  backoff.opened();
  vi.advanceTimersByTime(10_000);
  expect(waits(backoff, 3, 4_200)).toEqual([0, 500, 1_000]);
});

test("a code that forbids reconnecting keeps the client away", () => {
  const backoff = new Backoff(DELAYS);
  for (const code of [1000, 1005, 1008, 3000, 4000, 4001, 4099, 4300, 4999]) {
    expect(backoff.ended(code, undefined)).toBeUndefined();
  }
});

test("`hub:bye` takes precedence over the close code and brings a random part of its own", () => {
  const random = vi.spyOn(Math, "random").mockReturnValue(0.5);
  const backoff = new Backoff(DELAYS);
  const stable = (): void => {
    backoff.opened();
    vi.advanceTimersByTime(10_000);
  };
  stable();
  expect(backoff.ended(4_000, { reconnect: true, after: 1_000, spread: 500 })).toBe(1_250);
  stable();
  expect(backoff.ended(1_000, { reconnect: true })).toBe(0);
  stable();
  expect(backoff.ended(1_001, { reconnect: false, after: 1_000 })).toBeUndefined();
  random.mockReturnValue(1);
  expect(waits(backoff, 1)).toEqual([500]);
});
