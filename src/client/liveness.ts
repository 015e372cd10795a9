import { now } from "./now.ts";
import { delayOf } from "./options.ts";
import type { Patience } from "./patience.ts";

/**
 * Detects that a connection is dead although nobody closed it: no message has arrived for too long.
 *
 * There is one timer, which checks when the last message arrived. A message costs no more than reading the clock.
 */
export class Liveness {
  readonly #limit: number;
  readonly #state: Patience;
  readonly #lost: () => void;
  #heardAt = now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param limit - the time without a message after which the connection counts as dead, in milliseconds.
   * @param state - its patience doubles when a connection counts as dead, and is 1 again on one that is not silent.
   */
  constructor(limit: number, state: Patience, lost: () => void) {
    this.#limit = limit;
    this.#state = state;
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
  check(isVerdict?: boolean): void {
    const silence = now() - this.#heardAt;
    // A timer has fired, so the connection has lasted for the whole time.
    if (isVerdict === false && silence < this.#limit) this.#state.patience = 1;
    // Not negative: Node.js would warn of such a delay.
    const left = Math.max(0, this.#limit * this.#state.patience - silence);
    this.stop();
    if (!left && isVerdict) {
      // Eight times the usual is longer than what the operating system holds takes at 16 KiB/s.
      this.#state.patience = Math.min(8, 2 * this.#state.patience);
      this.#lost();
    } else this.#timer = setTimeout(() => this.check(!left), delayOf(left));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
