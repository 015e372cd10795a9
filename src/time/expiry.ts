import { forEach } from "../guard.ts";
import type { Clock, Timer } from "./clock.ts";

/** An item that ends at a given time. */
export interface Expiring {
  /** The time of the end, in milliseconds since 1970; `undefined` for never. */
  readonly expiresAt: number | undefined;
}

/** The least time between two sweeps over all items, in milliseconds. */
const SWEEP_INTERVAL = 1_000;

/** The most time between two looks at the wall clock while something is to expire: somebody may have set that clock. */
const MOST_SLEEP = 30_000;

/**
 * Ends expired items, less than a second late, with one timer for all items, which is set to the first of them. After
 * the wall clock was set forward, or the machine was suspended, the end is at most half a minute late.
 */
export class Expiry<M extends Expiring> {
  readonly #clock: Clock;
  readonly #expired: (item: M) => void;
  readonly #failed: (item: M, error: unknown) => void;
  readonly #watched = new Set<M>();
  #timer: Timer | undefined;
  // These two are times of `clock.now()`: setting the wall clock does not move them.
  #due = Number.POSITIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;

  /** @param failed - is called for an item for which `expired` throws. */
  constructor(clock: Clock, expired: (item: M) => void, failed: (item: M, error: unknown) => void) {
    this.#clock = clock;
    this.#expired = expired;
    this.#failed = failed;
  }

  /** Watches an item whose time was set or has changed. */
  watch(item: M): void {
    const { expiresAt } = item;
    if (expiresAt === undefined) {
      this.#watched.delete(item);
      return;
    }
    this.#watched.add(item);
    this.#look(expiresAt);
  }

  /** Forgets an item that has ended otherwise. */
  forget(item: M): void {
    this.#watched.delete(item);
  }

  stop(): void {
    this.#watched.clear();
    this.#timer?.cancel();
  }

  #look(expiresAt: number): void {
    const now = this.#clock.now();
    const left = Math.min(Math.max(expiresAt - this.#clock.wall(), 0), MOST_SLEEP);
    const due = Math.max(now + left, this.#notBefore);
    if (due >= this.#due) return;
    this.#due = due;
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimeout(this.#sweep, Math.ceil(due - now));
  }

  readonly #sweep = (): void => {
    const wall = this.#clock.wall();
    this.#due = Number.POSITIVE_INFINITY;
    this.#notBefore = this.#clock.now() + SWEEP_INTERVAL;
    let next = Number.POSITIVE_INFINITY;
    const check = (item: M): void => {
      const { expiresAt = Number.POSITIVE_INFINITY } = item;
      if (expiresAt <= wall) {
        this.#watched.delete(item);
        this.#expired(item);
      } else next = Math.min(next, expiresAt);
    };
    forEach(this.#watched, check, this.#failed);
    if (next < Number.POSITIVE_INFINITY) this.#look(next);
  };
}
