import { expect, test } from "vitest";
import { OpenLoopSchedule } from "../../../bench/open-loop-schedule.ts";

test("the schedule spreads the messages evenly over the time", () => {
  const schedule = new OpenLoopSchedule(5_000, 3, 2, { spinning: true });
  expect(schedule.length).toBe(6);
  const times = Array.from({ length: 6 }, (_, index) => schedule.intended(index));
  expect(times).toStrictEqual([5_000, 338_333, 671_666, 1_005_000, 1_338_333, 1_671_666]);
});

test("the schedule does not drift", () => {
  const schedule = new OpenLoopSchedule(0, 30_000, 1_000, { spinning: true });
  expect(schedule.intended(29_999_999)).toBe(999_999_966);
});

test("the schedule sends at least one message", () => {
  expect(new OpenLoopSchedule(0, 0.1, 1, { spinning: true }).length).toBe(1);
});

test("the schedule leaves long waits to a timer, which must not come too late, and short ones to the event loop", () => {
  const schedule = new OpenLoopSchedule(0, 100, 1, { spinning: true });
  expect(schedule.intended(1)).toBe(10_000);
  expect(schedule.sleep(1, 0)).toBe(9);
  expect(schedule.sleep(1, 7_500)).toBe(1);
  expect(schedule.sleep(1, 8_000)).toBe(0);
  expect(schedule.sleep(1, 9_999)).toBe(0);
  expect(schedule.sleep(1, 20_000)).toBe(0);
});

test("the schedule leaves every wait to a timer of at least a millisecond where the event loop must not spin", () => {
  const schedule = new OpenLoopSchedule(0, 100, 1, { spinning: false });
  expect([0, 7_500, 9_000, 9_999, 20_000].map((time) => schedule.sleep(1, time))).toEqual([10, 3, 1, 1, 1]);
});
