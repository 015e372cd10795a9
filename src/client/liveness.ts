import { now } from "./now.ts";
import { delayOf } from "./options.ts";

/**
 * Detects that a connection is dead although nobody closed it: no message has arrived for too long.
 *
 * There is one timer, which checks when the last message arrived. A message costs no more than reading the clock.
 */
export class Liveness {
  readonly #limit: number;
  readonly #lost: () => void;
  #heardAt = now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param limit - the time without a message after which the connection counts as dead, in milliseconds. */
  constructor(limit: number, lost: () => void) {
    this.#limit = limit;
    this.#lost = lost;
    this.check();
  }

  heard(): void {
    this.#heardAt = now();
  }

  /**
   * Checks now, and again later.
   *
   * After the machine has slept, timers fire before the waiting messages are read. So a connection that looks dead is
   * checked once more, after the messages had their turn.
   */
  check(isVerdict = false): void {
    const left = this.#heardAt + this.#limit - now();
    this.stop();
    if (left <= 0 && isVerdict) this.#lost();
    else this.#timer = setTimeout(() => this.check(left <= 0), delayOf(left));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
