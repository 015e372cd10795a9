/** How much is allowed: `perSecond` in the long run, `burst` at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * What is left of a {@link Rate}. It has no clock: all times are given, in milliseconds.
 *
 * Where time goes backwards nothing is filled and nothing lost, and filling goes on from there: a clock that was set back by
 * an hour does not stop it for that hour.
 */
export class TokenBucket {
  readonly #rate: Rate;
  /** How much there was at `#time`. Kept apart from the time, so that whole numbers are counted exactly. */
  #level: number;
  #time: number;

  /** Full at first. */
  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#level = rate.burst;
    this.#time = now;
  }

  /** Takes `count`, even if the bucket goes into debt. Returns what is left: negative is a debt. */
  take(count: number, now: number): number {
    this.#level = this.level(now) - count;
    this.#time = now;
    return this.#level;
  }

  /** What is in it now. */
  level(now: number): number {
    const { perSecond, burst } = this.#rate;
    const elapsed = Math.max(now - this.#time, 0);
    return Math.min(this.#level + (elapsed * perSecond) / 1_000, burst);
  }
}
