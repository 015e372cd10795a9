import { guarded, type Guardian } from "../guard.ts";
import type { Clock } from "./clock.ts";

/** Returns the same clock, with callbacks whose exceptions are reported and not thrown further. */
export function guardedClock(clock: Clock, guardian: Guardian): Clock {
  return {
    now: () => clock.now(),
    wall: () => clock.wall(),
    setTimeout: (callback, delay) => clock.setTimeout(() => guarded(guardian, callback), delay),
  };
}
