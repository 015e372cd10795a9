import type { Clock } from "../time/clock.ts";

/**
 * The times by which nodes agree on what was last. Each is later than all that this node has made or heard of, however the clocks
 * of the nodes differ.
 */
export class Stamps {
  readonly #clock: Clock;
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): number {
    return (this.#last = Math.max(this.#clock.wall(), this.#last + 1));
  }

  /** Takes note of a time of another node. */
  heard(stamp: number): void {
    if (stamp > this.#last) this.#last = stamp;
  }
}
