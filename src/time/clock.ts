import { hasFunctions, type Options } from "../checks/option-rules.ts";

/** A timeout that is running. */
export interface Timer {
  /** It will not fire. Afterwards, or when it has fired, nothing happens. */
  cancel(): void;
}

/** The time that a hub lives by. Tests give it one that they can move: see `VirtualClock` in `roomcast/testing`. */
export interface Clock {
  /** For distances: milliseconds since some moment. It never goes back, and nobody can set it. */
  now(): number;

  /** What the clock on the wall shows, in milliseconds since 1970. It can be set, forward and back. */
  wall(): number;

  /** Calls back once, `delay` milliseconds from now, after what has arrived by then was read. Keeps no process alive. */
  setTimeout(callback: () => void, delay: number): Timer;
}

/** The clock of the system. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimeout: (callback, delay) => {
    let immediate: NodeJS.Immediate | undefined;
    // After a pause of the process, timers run before what has arrived meanwhile is read: nobody may be late because of that.
    const timeout = setTimeout(() => (immediate = setImmediate(callback)), delay).unref();
    return {
      cancel: () => {
        clearTimeout(timeout);
        clearImmediate(immediate);
      },
    };
  },
};

/** The time that a hub lives by. */
export interface ClockSettings {
  /** The time that the hub lives by. For tests: see `VirtualClock` in `roomcast/testing`. Default: the system's. */
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
