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

/** The time of the system. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delay) => {
    const timeout = setTimeout(callback, delay).unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};
