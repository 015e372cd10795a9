import { delayOf } from "./options.ts";

/**
 * Finds out that a connection is dead although nobody closed it: nothing has come for too long.
 *
 * One timer, which looks when the last message came; a message costs no more than reading the clock.
 */
export class Liveness {
  readonly #limit: number;
  readonly #lost: () => void;
  #heardAt = Date.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param limit - in milliseconds. */
  constructor(limit: number, lost: () => void) {
    this.#limit = limit;
    this.#lost = lost;
    this.check();
  }

  heard(): void {
    this.#heardAt = Date.now();
  }

  /**
   * Looks now, and later again.
   *
   * After a sleep timers come before the messages that wait: these get a turn before the verdict.
   */
  check(isVerdict = false): void {
    const now = Date.now();
    // A clock can be set back.
    this.#heardAt = Math.min(this.#heardAt, now);
    const left = this.#heardAt + this.#limit - now;
    this.stop();
    if (left <= 0 && isVerdict) this.#lost();
    else this.#timer = setTimeout(() => this.check(left <= 0), delayOf(left));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
