import { isInteger, isObject, MAX_DELAY, type Options } from "../checks/option-rules.ts";
import { forEach, soon, type Guardian } from "../guard.ts";
import type { Clock, Timer } from "./clock.ts";

/** Options for finding lost clients. Both values are in milliseconds. */
export interface HeartbeatOptions {
  /** The interval at which every client is asked for a sign of life. */
  readonly interval: number;
  /**
   * The time that an answer may take; at most `interval`. A lost client is found within `interval + timeout`, or later
   * if much was sent to it that it has not confirmed: a second later for every 16 KiB, but never later than
   * `12 * timeout` after the question.
   */
  readonly timeout: number;
}

/** The settings of the heartbeat. */
export interface HeartbeatSettings {
  /**
   * Options for finding lost clients: see {@link HeartbeatOptions}. `false` disables the heartbeat.
   *
   * Default: `{ interval: 25_000, timeout: 20_000 }`.
   */
  readonly heartbeat: HeartbeatOptions | false;
}

export const heartbeatOptions: Options<HeartbeatSettings> = {
  heartbeat: {
    default: { interval: 25_000, timeout: 20_000 },
    rule: ["false or { interval, timeout } in whole milliseconds, timeout being at most interval", isHeartbeat],
  },
};

function isHeartbeat(value: unknown): boolean {
  if (value === false) return true;
  if (!isObject(value) || Object.keys(value).some((key) => key !== "interval" && key !== "timeout")) return false;
  const { interval, timeout } = value;
  return isInteger(interval, 1, MAX_DELAY) && isInteger(timeout, 1, interval as number);
}

/** The state that the heartbeat keeps on each member. */
export interface Beating {
  /**
   * The tick in which the member was asked for the awaited sign of life; 0, which every sign of life sets, for none.
   */
  askedIn: number;
  /** The number of bytes that the member has to read before it can answer, as far as anybody knows. */
  readonly bytesAhead: number;
  /**
   * The slice of each interval in which the member is asked: given by {@link Heartbeat.nextPhase} when the member
   * connects.
   */
  readonly phase: number;
  /**
   * Whether nothing is read from the member at present. Such a member is asked, because writing to a client that has
   * gone ends its connection, but it is not declared lost. When reading resumes, `askedIn` has to become 0, so that the
   * member is asked anew.
   */
  readonly isPaused: boolean;
}

/** Receives the members to ask, and those that are lost. */
export interface HeartbeatReport<M> {
  /** Asks a member for a sign of life. */
  ping(member: M): void;
  /** Called for a member that gave no sign of life. */
  lost(member: M): void;
  /** Called for a member for which `ping` or `lost` throws. */
  fail(member: M, error: unknown): void;
}

/**
 * The most slices of an interval. Asking is spread over them, because asking all members at once would block a busy
 * server for long.
 */
const MOST_SLICES = 64;

/** The shortest slice, in milliseconds: a short interval has fewer slices. */
const LEAST_SLICE = 250;

/**
 * The slowest rate at which a client is expected to read, in bytes for each millisecond: 16 KiB/s. The operating system
 * takes megabytes for a client that reads slowly, and does not tell that the client reads them.
 */
const SLOWEST_RATE = (16 * 1024) / 1000;

/** The most bytes that an operating system holds for a connection, unless somebody has set it up for more. */
const MOST_BYTES_AHEAD = 4 * 1024 * 1024;

/** The most that the timeout is extended by, in timeouts. */
const MOST_EXTENSION = 11;

/**
 * Finds lost clients with one timer for all connections.
 *
 * Every member is asked once in each `interval`; a member that gave no sign of life by `timeout` later is lost, unless
 * it has to read a lot before it can answer. A member that connected between the two was not asked, so it is not taken
 * for lost.
 */
export class Heartbeat<M extends Beating> {
  readonly #options: HeartbeatOptions;
  readonly #members: ReadonlyMap<string, M>;
  readonly #clock: Clock;
  readonly #report: HeartbeatReport<M> & Guardian;
  readonly #slices: number;
  /** The length of a slice, in milliseconds. */
  readonly #slice: number;
  /** Running timers and immediates: at most a few more than there are slices. */
  readonly #waiting = new Set<Timer>();
  #lastPhase = 0;
  /** The time when the first slice of the first interval was due. */
  #beginning = 0;
  #ticks = 0;

  constructor(
    options: HeartbeatOptions,
    members: ReadonlyMap<string, M>,
    clock: Clock,
    report: HeartbeatReport<M> & Guardian,
  ) {
    this.#options = options;
    this.#members = members;
    this.#clock = clock;
    this.#report = report;
    this.#slices = Math.min(Math.max(Math.floor(options.interval / LEAST_SLICE), 1), MOST_SLICES);
    this.#slice = options.interval / this.#slices;
  }

  /** Returns the phase of the next member: one slice after the other, so that all slices are about as large. */
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
   * Sets the timer of the next tick. Ticks are counted from the beginning, so that delays do not add up, and from now
   * on when the process has paused.
   */
  #tickLater(): void {
    const slice = this.#slice;
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
    this.#forEach((member) => {
      if (member.phase !== phase || member.askedIn !== 0) return;
      member.askedIn = tick;
      this.#report.ping(member);
    });
    // An event is only queued by now. The timeout starts after the immediate in which delivery writes it.
    this.#soon(() => this.#checkLater(tick));
  };

  /**
   * Checks for lost members after the timeout, which passes in two halves: a pause of the process, however long, takes
   * only one of them.
   */
  #checkLater(tick: number): void {
    const { timeout } = this.#options;
    const half = Math.ceil(timeout / 2);
    this.#after(half, () => this.#after(timeout - half, () => this.#check(tick)));
  }

  #check(tick: number): void {
    this.#forEach((member) => {
      if (member.askedIn === 0 || member.askedIn > tick) return;
      // The timeout of this tick has passed, and so has that of the question, as many slices ago.
      if (member.bytesAhead > 0 && tick - member.askedIn < this.#extensionOf(member)) return;
      if (member.isPaused) member.askedIn = 0;
      else this.#report.lost(member);
    });
  }

  /**
   * Returns how much longer than the timeout a member may take to answer, in whole slices: what is read within one makes
   * no difference.
   */
  #extensionOf({ bytesAhead }: M): number {
    const reading = Math.min(bytesAhead, MOST_BYTES_AHEAD) / SLOWEST_RATE;
    return Math.floor(Math.min(reading, MOST_EXTENSION * this.#options.timeout) / this.#slice);
  }

  /** Calls back in an immediate. */
  #soon(callback: () => void): void {
    const immediate = soon(this.#report, () => {
      this.#waiting.delete(timer);
      callback();
    });
    const timer: Timer = { cancel: () => clearImmediate(immediate) };
    this.#waiting.add(timer);
  }

  #forEach(act: (member: M) => void): void {
    forEach(this.#members.values(), act, (member, error) => this.#report.fail(member, error));
  }

  #after(delay: number, callback: () => void): void {
    const timer = this.#clock.setTimeout(() => {
      this.#waiting.delete(timer);
      callback();
    }, delay);
    this.#waiting.add(timer);
  }
}
