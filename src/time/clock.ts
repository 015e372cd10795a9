import { hasFunctions, type Options } from "../checks/option-rules.ts";

/** A timeout that is running. */
export interface Timer {
  /** It will not fire. Afterwards, or when it has fired, nothing happens. */
  cancel(): void;
}

/** The time that a hub lives by. Tests give it one that they can move: see `VirtualClock` in `roomcast/testing`. */
export interface Clock {
  /** In milliseconds since 1970. */
  now(): number;

  /** Calls back once, `delay` milliseconds from now. Keeps no process alive. */
  setTimeout(callback: () => void, delay: number): Timer;
}

/** The clock of the system. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delay) => {
    const timeout = setTimeout(callback, delay).unref();
    return { cancel: () => clearTimeout(timeout) };
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
    rule: ['an object with the functions "now" and "setTimeout"', (value) => hasFunctions(value, "now", "setTimeout")],
  },
};
