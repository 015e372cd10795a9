import type { Clock, Timer } from "./clock.ts";

/** How lost clients are found. Both in milliseconds. */
export interface HeartbeatOptions {
  /** How often every client is asked for a sign of life. */
  readonly interval: number;
  /** How long an answer may take; at most `interval`. A lost client is found within `interval + timeout`. */
  readonly timeout: number;
}

/** What the heartbeat keeps on each member. */
export interface Beating {
  /** The tick in which it was asked for the sign of life that is awaited; 0, which every sign of life sets, for none. */
  askedIn: number;
  /** When in each interval it is asked: given by {@link Heartbeat.nextPhase} when it comes. */
  readonly phase: number;
}

/** The asking is spread over each interval in slices: asking everybody at once would block a busy server for long. */
const MOST_SLICES = 64;

/** No shorter than this, in milliseconds: for a short interval, fewer slices do. */
const LEAST_SLICE = 250;

/**
 * One clock for all connections: no timer for each.
 *
 * Every member is asked once in each `interval`; one that gave no sign of life by `timeout` later is lost. A member that came
 * between the two was not asked, so it is not missed.
 */
export class Heartbeat<M extends Beating> {
  readonly #options: HeartbeatOptions;
  readonly #members: ReadonlyMap<string, M>;
  readonly #clock: Clock;
  readonly #ping: (member: M) => void;
  readonly #lost: (member: M) => void;
  readonly #slices: number;
  /** Running timers and immediates, by what they wait for. At most a few more than there are slices. */
  readonly #waiting = new Set<Timer>();
  #lastPhase = 0;
  /** When the first slice of the first interval was due. */
  #beginning = 0;
  #ticks = 0;

  /** `ping` asks a member for a sign of life; `lost` hears of those who gave none. */
  constructor(
    options: HeartbeatOptions,
    members: ReadonlyMap<string, M>,
    clock: Clock,
    ping: (member: M) => void,
    lost: (member: M) => void,
  ) {
    this.#options = options;
    this.#members = members;
    this.#clock = clock;
    this.#ping = ping;
    this.#lost = lost;
    this.#slices = Math.min(Math.max(Math.floor(options.interval / LEAST_SLICE), 1), MOST_SLICES);
  }

  /** The phase of the next member: one slice after the other, so that all are about as large. */
  nextPhase(): number {
    this.#lastPhase = (this.#lastPhase + 1) % this.#slices;
    return this.#lastPhase;
  }

  start(): void {
    this.#beginning = this.#clock.now();
    this.#tickLater();
  }

  stop(): void {
    for (const timer of this.#waiting) timer.cancel();
    this.#waiting.clear();
  }

  /**
   * Counted from the beginning, so that delays do not add up; when the process has paused, or the system's clock was set, as
   * from now.
   */
  #tickLater(): void {
    const slice = this.#options.interval / this.#slices;
    this.#ticks++;
    const now = this.#clock.now();
    const due = this.#beginning + this.#ticks * slice;
    const wait = Math.min(Math.max(due - now, 0), slice);
    this.#beginning += now + wait - due;
    this.#after(wait, this.#tick);
  }

  readonly #tick = (): void => {
    const tick = this.#ticks;
    const phase = tick % this.#slices;
    this.#tickLater();
    this.#after(this.#options.timeout, () => this.#judgeSoon(tick));
    for (const member of this.#members.values()) {
      if (member.phase !== phase || member.askedIn !== 0) continue;
      member.askedIn = tick;
      this.#ping(member);
    }
  };

  /** After a pause of the server's own, timers come before what clients sent meanwhile: that has to be read first. */
  #judgeSoon(tick: number): void {
    const immediate = setImmediate(() => {
      this.#waiting.delete(timer);
      for (const member of this.#members.values()) {
        if (member.askedIn !== 0 && member.askedIn <= tick) this.#lost(member);
      }
    });
    const timer: Timer = { cancel: () => clearImmediate(immediate) };
    this.#waiting.add(timer);
  }

  #after(delay: number, callback: () => void): void {
    const timer = this.#clock.setTimeout(() => {
      this.#waiting.delete(timer);
      callback();
    }, delay);
    this.#waiting.add(timer);
  }
}
