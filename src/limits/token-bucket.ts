/** A rate that is allowed: `perSecond` in the long run, `burst` at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * A bucket holds the rest of a {@link Rate}. A bucket has no clock: all times are arguments, in milliseconds.
 *
 * When time goes backwards, nothing is filled and nothing is lost, and filling continues from there: a clock that was
 * set back by an hour does not stop the bucket for that hour.
 */
export class TokenBucket {
  readonly #rate: Rate;
  /** The content at `#time`. It is kept apart from the time, so that whole numbers are counted exactly. */
  #level: number;
  #time: number;

  /** Creates a full bucket. */
  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#level = rate.burst;
    this.#time = now;
  }

  /** Takes `count`, even if the bucket goes into debt. Returns what is left; a negative number is a debt. */
  take(count: number, now: number): number {
    this.#level = this.level(now) - count;
    this.#time = now;
    return this.#level;
  }

  /** Returns the content at the time `now`. */
  level(now: number): number {
    const { perSecond, burst } = this.#rate;
    const elapsed = Math.max(now - this.#time, 0);
    return Math.min(this.#level + (elapsed * perSecond) / 1_000, burst);
  }

  /** Returns how long the bucket takes until it holds `count`, in milliseconds; 0 if it does. */
  delayUntil(count: number, now: number): number {
    return Math.max(((count - this.level(now)) * 1_000) / this.#rate.perSecond, 0);
  }

  isFull(now: number): boolean {
    return this.level(now) >= this.#rate.burst;
  }
}
