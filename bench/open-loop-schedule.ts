/** Where the event loop may spin, shorter waits are not left to a timer, which comes up to a millisecond late. In microseconds. */
const SPIN = 2_000;

/** How much earlier than needed a timer is set, in microseconds. */
const MARGIN = 1_000;

/** How somebody waits for the next message. */
export interface Waiting {
  /** Whether the event loop turns until the moment has come, which is exact and looks busy; or timers do, which come late. */
  readonly spinning: boolean;
}

/** When the messages of an open loop are meant to leave: at a fixed rate, whatever happens. In microseconds. */
export class OpenLoopSchedule {
  /** How many messages there are. */
  readonly length: number;
  readonly #start: number;
  readonly #interval: number;
  readonly #spinning: boolean;

  constructor(start: number, rate: number, seconds: number, { spinning }: Waiting) {
    this.#start = start;
    this.#interval = 1e6 / rate;
    this.#spinning = spinning;
    this.length = Math.max(1, Math.floor(rate * seconds));
  }

  /** When a message is meant to leave, by its number. */
  intended(index: number): number {
    return Math.floor(this.#start + index * this.#interval);
  }

  /** How long a timer may wait for a message, in milliseconds; 0 where it is so close that the event loop has to turn. */
  sleep(index: number, time: number): number {
    const wait = this.intended(index) - time;
    if (!this.#spinning) return Math.max(1, Math.ceil(wait / 1000));
    return wait > SPIN ? Math.floor((wait - MARGIN) / 1000) : 0;
  }
}
