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

  /** @param limit - in milliseconds; 0 never looks. */
  constructor(limit: number, lost: () => void) {
    this.#limit = limit;
    this.#lost = lost;
    this.check();
  }

  heard(): void {
    this.#heardAt = Date.now();
  }

  /** Looks now, and later again. */
  readonly check = (): void => {
    if (this.#limit === 0) return;
    this.#wait(this.#heardAt + this.#limit - Date.now());
  };

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(left: number): void {
    this.stop();
    // After a sleep timers come before the messages that wait, which have to be read first.
    this.#timer = left > 0 ? setTimeout(this.check, left) : setTimeout(this.#judge);
  }

  readonly #judge = (): void => {
    if (Date.now() - this.#heardAt >= this.#limit) this.#lost();
    else this.check();
  };
}
