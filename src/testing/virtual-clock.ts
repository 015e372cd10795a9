import type { Clock, Timer } from "../time/clock.ts";
import { HubError } from "../errors.ts";
import { MAX_DELAY } from "../checks/option-rules.ts";
import { settle } from "./settle.ts";

interface Alarm {
  readonly due: number;
  readonly callback: () => void;
}

/** The default time of the wall clock at the start, which is the same in every run. */
const START = Date.UTC(2000, 0, 1);

/**
 * A clock whose time passes only when a test advances it. A hub with this `clock` never really waits: not for a
 * heartbeat, not for a timeout, not for credentials to expire.
 *
 * @example
 * const clock = new VirtualClock();
 * const hub = new Hub({ transport: memory(), clock });
 * await clock.advance(45_000);
 */
export class VirtualClock implements Clock {
  /** The timers in the order in which they were set. */
  readonly #alarms = new Set<Alarm>();
  #now = 0;
  /** Number of milliseconds that the wall clock is ahead of `now`. */
  #ahead: number;
  #advancing = false;

  /**
   * @param start - what the wall clock shows first, in milliseconds since 1970. Default: the beginning of the year
   *   2000.
   * @throws {HubError} `ERR_HUB_ARGUMENT`.
   */
  constructor(start: number = START) {
    if (!Number.isFinite(start)) throw bad("The start of a clock must be in milliseconds since 1970", start);
    this.#ahead = start;
  }

  /** The milliseconds by which the clock was advanced. */
  now(): number {
    return this.#now;
  }

  /** Returns the time of the wall clock, in milliseconds since 1970, with which `expiresAt` is compared. */
  wall(): number {
    return this.#now + this.#ahead;
  }

  /**
   * Sets the wall clock alone, forward or back, as somebody may do on a server; a machine that was suspended sees the
   * same. No time passes, and no timer fires.
   *
   * @param time - what the wall clock shows from now on, in milliseconds since 1970.
   * @throws {HubError} `ERR_HUB_ARGUMENT`.
   */
  setWall(time: number): void {
    if (!Number.isFinite(time)) throw bad("A wall clock is set to milliseconds since 1970", time);
    this.#ahead = time - this.#now;
  }

  /** The number of timers that are set. */
  get timers(): number {
    return this.#alarms.size;
  }

  /**
   * Sets a timer. As in Node.js, it waits one millisecond at least.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT` for a delay that the timers of the system would not take either.
   */
  setTimeout(callback: () => void, delay: number): Timer {
    if (!(delay >= 0 && delay <= MAX_DELAY)) throw bad(`A delay must be from 0 to ${MAX_DELAY} milliseconds`, delay);
    const alarm: Alarm = { due: this.#now + Math.max(delay, 1), callback };
    this.#alarms.add(alarm);
    return { cancel: () => void this.#alarms.delete(alarm) };
  }

  /**
   * Lets time pass, also on the wall clock. It fires the timers that fall due, including those that are set meanwhile,
   * in the order of their times; timers of the same time fire in the order in which they were set. Before the first
   * timer, and after each one, everything in memory runs to its end, so that all messages have reached the clients when
   * the promise resolves.
   *
   * @throws {HubError} as a rejection: `ERR_HUB_ARGUMENT` for a negative time or no number, and while another call
   *   advances the clock. An error that a timer throws rejects the promise as well; time then stands still at that
   *   timer, and can be advanced again.
   */
  async advance(milliseconds: number): Promise<void> {
    if (!(milliseconds >= 0 && milliseconds < Number.POSITIVE_INFINITY)) {
      throw bad("A clock advances by 0 milliseconds or more", milliseconds);
    }
    if (this.#advancing) {
      throw new HubError("ERR_HUB_ARGUMENT", "This clock is advancing already. Await one advance() before the next.");
    }
    this.#advancing = true;
    try {
      await this.#advanceTo(this.#now + milliseconds);
    } finally {
      this.#advancing = false;
    }
  }

  async #advanceTo(end: number): Promise<void> {
    await settle();
    for (let alarm = this.#next(end); alarm !== undefined; alarm = this.#next(end)) {
      this.#alarms.delete(alarm);
      this.#now = alarm.due;
      alarm.callback();
      // oxlint-disable-next-line no-await-in-loop -- a timer fires only after the one before has had its effect
      await settle();
    }
    this.#now = end;
  }

  #next(end: number): Alarm | undefined {
    let next: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (alarm.due <= end && (next === undefined || alarm.due < next.due)) next = alarm;
    }
    return next;
  }
}

function bad(rule: string, value: number): HubError {
  return new HubError("ERR_HUB_ARGUMENT", `${rule}, not ${value}.`);
}
