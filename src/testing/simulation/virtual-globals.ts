import type { Timer } from "../../time/clock.ts";
import type { Random } from "../random.ts";
import type { Surroundings, Timeline } from "./timeline.ts";

const START = Date.UTC(2000, 0, 1);

type Callback = (...values: unknown[]) => void;

/** A timer that looks like one of Node.js. */
class VirtualTimeout {
  readonly #set: () => Timer;
  #timer: Timer;

  constructor(set: () => Timer) {
    this.#set = set;
    this.#timer = set();
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return false;
  }

  refresh(): this {
    this.close();
    this.#timer = this.#set();
    return this;
  }

  close(): this {
    this.#timer.cancel();
    return this;
  }
}

function cancel(timer: unknown): void {
  if (timer instanceof VirtualTimeout) timer.close();
}

/**
 * The timers, times and random numbers of the process, as long as steps of a simulation run: whoever asks for a turn of the
 * event loop or for a time gets one of the node whose step runs. So the hub, the library's client and the application are
 * simulated as they are.
 */
export class VirtualGlobals implements Surroundings {
  readonly #timeline: Timeline;
  readonly #random: Random;
  #restore: (() => void) | undefined;

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline;
    this.#random = random;
  }

  enter(): void {
    const timeline = this.#timeline;
    const set = (callback: Callback, delay: number, values: unknown[]): VirtualTimeout => {
      const { owner } = timeline;
      return new VirtualTimeout(() => timeline.schedule(() => callback(...values), delay, owner));
    };
    const restorers = [
      replace(globalThis, {
        setImmediate: (callback: Callback, ...values: unknown[]) => set(callback, 0, values),
        clearImmediate: cancel,
        setTimeout: (callback: Callback, delay = 1, ...values: unknown[]) => set(callback, Math.max(delay, 1), values),
        clearTimeout: cancel,
        setInterval: (callback: Callback, delay = 1, ...values: unknown[]): VirtualTimeout => {
          const timer: VirtualTimeout = set(
            () => {
              timer.refresh();
              callback(...values);
            },
            Math.max(delay, 1),
            [],
          );
          return timer;
        },
        clearInterval: cancel,
      }),
      replace(Math, { random: this.#random.next }),
      replace(Date, { now: () => START + timeline.now }),
      replace(performance, { now: () => timeline.now }),
    ];
    this.#restore = () => restorers.forEach((restore) => restore());
  }

  leave(): void {
    this.#restore?.();
    this.#restore = undefined;
  }
}

/** Replaces properties of an object. Returns a function that takes this back. */
function replace(object: object, replacements: Readonly<Record<string, unknown>>): () => void {
  const before = Object.keys(replacements).map(
    (name) => [name, Object.getOwnPropertyDescriptor(object, name)] as const,
  );
  for (const [name, value] of Object.entries(replacements)) {
    Object.defineProperty(object, name, { value, configurable: true, writable: true });
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(object, name);
      else Object.defineProperty(object, name, descriptor);
    }
  };
}
