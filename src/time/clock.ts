import { hasFunctions, type Options } from "../checks/option-rules.ts";

/** A timeout that is running. */
export interface Timer {
  /** Stops the timer. A timer that was cancelled or has fired is not affected. */
  cancel(): void;
}

/** The clock of a hub. Tests give the hub a clock that they can move: see `VirtualClock` in `roomcast/testing`. */
export interface Clock {
  /**
   * Returns the milliseconds since some fixed moment, for measuring distances. This time never goes back, and cannot be
   * set.
   */
  now(): number;

  /** Returns the time of day, in milliseconds since 1970. This time can be set, forward and back. */
  wall(): number;

  /**
   * Calls back once, `delay` milliseconds from now, after the data that has arrived by then was read. The timer keeps
   * no process alive.
   */
  setTimeout(callback: () => void, delay: number): Timer;
}

/** The clock of the system. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimeout: (callback, delay) => {
    let immediate: NodeJS.Immediate | undefined;
    // After a pause of the process, timers run before the data that has arrived meanwhile is read. No client may count
    // as late because of that.
    const timeout = setTimeout(() => (immediate = setImmediate(callback)), delay).unref();
    return {
      cancel: () => {
        clearTimeout(timeout);
        clearImmediate(immediate);
      },
    };
  },
};

/** The setting of the clock of a hub. */
export interface ClockSettings {
  /** The clock of the hub. For tests: see `VirtualClock` in `roomcast/testing`. Default: the system's. */
  readonly clock: Clock;
}

export const clockOptions: Options<ClockSettings> = {
  clock: {
    default: systemClock,
    rule: [
      'an object with the functions "now", "wall" and "setTimeout"',
      (value) => hasFunctions(value, "now", "wall", "setTimeout"),
    ],
  },
};
