import type { BackplaneLog, LogPosition, LogRecord, LogTail } from "../backplanes/backplane.ts";
import { HubError, messageOf } from "../errors.ts";
import { guarded, watch } from "../guard.ts";
import type { LogGap, Novelty } from "../members/room-feed.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock, Timer } from "../time/clock.ts";

/** The time after which a log that has fallen silent is compared with the engine's, in milliseconds. */
const AUDIT_DELAY = 5_000;

/** The time after which a log is read again that the engine would not let be read, in milliseconds. */
const RETRY_DELAY = 1_000;

/** The most entries that wait for a read, for each channel. What comes above is read as well. */
const MAX_HELD = 256;

/** The most origins of each channel whose last number is known. */
const MAX_ORIGINS = 1_024;

/** The epoch of a channel that has no log. */
const NO_EPOCH = "";

/** A position behind which everything is new. */
export const NOWHERE: LogPosition = { epoch: NO_EPOCH, at: 0 };

/** Hears the logs of channels. */
interface LogListener {
  /**
   * Called with the end of a log that goes on from there. Nothing of that was told before, or may be told as new.
   *
   * @param tail - `undefined` if the channel has no log.
   * @param gap - given if the channel was followed before, and something may be missing between then and now.
   */
  begun(channel: string, tail: LogTail | undefined, gap?: LogGap): void;
  /** Called with the next entry. */
  recorded(channel: string, record: LogRecord, novelty: Novelty): void;
}

/** A log that is followed. */
interface Followed {
  readonly channel: string;
  /** The most entries to read at a time: as many as are kept. */
  readonly size: number;
  isSubscribed: boolean;
  /** The last entry that was told; `undefined` before the log was read for the first time. */
  position: LogPosition | undefined;
  /** The epoch before this one: what is still on its way from there is of no use. */
  left: string;
  /** The connection on which it was found that the channel has no log. */
  emptySince: number;
  /** The last number of each origin in this log. */
  seen: Map<string, number>;
  /** The last number of each origin that was told, also of earlier logs. */
  readonly told: Map<string, number>;
  isReading: boolean;
  /** What came while the log was read. */
  held: LogRecord[];
  /** Whether more came than could be held. */
  isOverfull: boolean;
  /** Called when a read has ended. */
  waiting: Set<() => void>;
  timer: Timer | undefined;
}

export interface LogReaderParts {
  readonly log: BackplaneLog;
  readonly clock: Clock;
  readonly listener: LogListener;
  readonly report: ErrorReport;
}

/**
 * Follows the logs of channels that are subscribed to: tells every entry once and in order, or that some may be missing.
 * The rules, R1 to R13, are those of `docs/decisions/0042-records-in-a-cluster.md`.
 */
export class LogReader {
  readonly #parts: LogReaderParts;
  readonly #followed = new Map<string, Followed>();
  /** The channels that had a new entry since the last audit, and those that had one before that. */
  #lively = new Set<string>();
  #silent = new Set<string>();
  #audit: Timer | undefined;
  #isUp = false;
  /** The number of this connection. */
  #session = 0;
  #reads = 0;
  #repairs = 0;
  /** The connection on which a failure was reported. Each log is tried again and again, and one report says it all. */
  #reportedOn = -1;

  constructor(parts: LogReaderParts) {
    this.#parts = parts;
  }

  /** The number of reads. */
  get reads(): number {
    return this.#reads;
  }

  /** The number of reads for what was missing, or might have been, in a log that was followed. */
  get repairs(): number {
    return this.#repairs;
  }

  /** Reads all logs, because all channels are subscribed to again. */
  connected(): void {
    this.#isUp = true;
    // R10: what a read of the last connection was for is still missing.
    for (const followed of this.#followed.values()) this.#read(followed);
  }

  disconnected(): void {
    this.#isUp = false;
    this.#session++;
    for (const followed of this.#followed.values()) {
      followed.isReading = false;
      followed.held = [];
      followed.isOverfull = false;
      followed.timer?.cancel();
    }
  }

  /**
   * Follows the log of a channel.
   *
   * @param size - the number of entries that are kept.
   * @param isSubscribed - whether the channel is subscribed to. Otherwise nothing is read before {@link subscribed}.
   */
  follow(channel: string, size: number, isSubscribed: boolean = true): void {
    if (this.#followed.has(channel)) return;
    const followed: Followed = {
      channel,
      size,
      isSubscribed,
      position: undefined,
      left: NO_EPOCH,
      emptySince: -1,
      seen: new Map(),
      told: new Map(),
      isReading: false,
      held: [],
      isOverfull: false,
      waiting: new Set(),
      timer: undefined,
    };
    this.#followed.set(channel, followed);
    this.#read(followed);
  }

  /** Begins to read the log of a channel, which is subscribed to by now. */
  subscribed(channel: string): void {
    const followed = this.#followed.get(channel);
    if (followed === undefined || followed.isSubscribed) return;
    followed.isSubscribed = true;
    this.#read(followed);
  }

  /** Reads the log of a channel no more, of which nothing is handed over. */
  refused(channel: string): void {
    const followed = this.#followed.get(channel);
    if (followed === undefined) return;
    followed.isSubscribed = false;
    followed.isReading = false;
    followed.held = [];
    followed.position = undefined;
  }

  /** Returns the number of the last entry of an origin that was told of a channel. */
  heardOf(channel: string, origin: string): number {
    return this.#followed.get(channel)?.seen.get(origin) ?? 0;
  }

  unfollow(channel: string): void {
    const followed = this.#followed.get(channel);
    followed?.timer?.cancel();
    this.#followed.delete(channel);
    this.#lively.delete(channel);
    this.#silent.delete(channel);
  }

  /** Returns the last entry that was told; {@link NOWHERE} if there is none. */
  positionOf(channel: string): LogPosition {
    return this.#followed.get(channel)?.position ?? NOWHERE;
  }

  /**
   * Calls back when it is known what follows a position: at once, if this node knows the log that far.
   *
   * @param since - the position; {@link NOWHERE} for none.
   * @returns a function that calls it off.
   */
  whenKnown(channel: string, since: LogPosition, known: () => void): () => void {
    const followed = this.#followed.get(channel);
    if (followed === undefined) return () => {};
    const { position } = followed;
    // R3: another node was ahead.
    const isAhead = position?.epoch === since.epoch && since.at > position.at;
    if (position !== undefined && !isAhead && !(followed.isReading && position.epoch !== since.epoch)) {
      known();
      return () => {};
    }
    followed.waiting.add(known);
    this.#read(followed);
    return () => followed.waiting.delete(known);
  }

  /** Takes an entry that the engine hands over. */
  take(channel: string, record: LogRecord): void {
    const followed = this.#followed.get(channel);
    if (followed !== undefined) this.#take(followed, record);
  }

  /** Stops, and tells nothing more. */
  stop(): void {
    this.disconnected();
    this.#followed.clear();
    this.#audit?.cancel();
    this.#audit = undefined;
  }

  /** @param isLate - whether the log was read since the record came. */
  #take(followed: Followed, record: LogRecord, isLate = false): void {
    const { position } = followed;
    const { epoch, at, previous } = record;
    if (followed.isReading || position === undefined) {
      this.#hold(followed, record);
      return;
    }
    if (epoch === position.epoch) {
      if (at <= position.at) return;
      if (previous === position.at) {
        this.#tell(followed, record);
        return;
      }
    } else if (epoch === followed.left) {
      // R5: the read that found the new epoch has told of the gap. Should the log go on there after all, R11 finds it.
      this.#watch(followed.channel);
      return;
    } else if (position.epoch === NO_EPOCH && previous === 0) {
      // R13: nothing was before it that could be missing, as each connection begins with a read.
      this.#begin(followed, { epoch, head: 0, floor: 0, records: [] });
      this.#tell(followed, record);
      return;
    }
    // R5: it is of an epoch that was left before the last one.
    if (isLate) return;
    // R1: something is missing before it.
    this.#hold(followed, record);
    this.#read(followed);
  }

  #hold(followed: Followed, record: LogRecord): void {
    if (followed.held.length < MAX_HELD) followed.held.push(record);
    else followed.isOverfull = true;
  }

  #tell(followed: Followed, record: LogRecord): void {
    const { channel, seen, told } = followed;
    const { epoch, at, origin, number } = record;
    followed.position = { epoch, at };
    // R12: it may have been appended again after the engine has lost it.
    const isKnown = (numbers: ReadonlyMap<string, number>): boolean => number <= (numbers.get(origin) ?? 0);
    const novelty = isKnown(seen) ? "again" : isKnown(told) ? "before" : "new";
    see(seen, record);
    if (novelty === "new") see(told, record);
    this.#watch(channel);
    const { listener, report } = this.#parts;
    guarded(report, () => listener.recorded(channel, record, novelty));
  }

  /** Reads what follows, unless that is under way: one read at a time for each channel. */
  #read(followed: Followed): void {
    if (followed.isReading || !this.#isUp || !followed.isSubscribed) return;
    followed.isReading = true;
    followed.timer?.cancel();
    watch(this.#parts.report, this.#repair(followed));
  }

  async #repair(followed: Followed): Promise<void> {
    const { clock, log } = this.#parts;
    const { channel, size } = followed;
    const session = this.#session;
    const { length } = followed.held;
    const isMeant = (): boolean =>
      session === this.#session && followed.isSubscribed && this.#followed.get(channel) === followed;
    let tail: LogTail | undefined;
    this.#reads++;
    if (followed.position !== undefined) this.#repairs++;
    try {
      tail = await log.read(channel, followed.position ?? NOWHERE, size);
    } catch (error) {
      if (!isMeant()) return;
      followed.isReading = false;
      followed.timer = clock.setTimeout(() => this.#read(followed), RETRY_DELAY);
      this.#failed(error);
      return;
    }
    if (!isMeant()) return;
    followed.isReading = false;
    this.#go(followed, tail);
    this.#settle(followed, length);
  }

  /** Goes on with what was read. */
  #go(followed: Followed, tail: LogTail | undefined): void {
    const { position } = followed;
    this.#watch(followed.channel);
    if (position === undefined) {
      this.#begin(followed, tail);
      return;
    }
    if (tail === undefined && position.epoch === NO_EPOCH && followed.emptySince === this.#session) return;
    // R2, R4: it is no continuation.
    if (tail === undefined || tail.epoch !== position.epoch || tail.floor > position.at) {
      const gap = tail?.epoch === position.epoch ? "trimmed" : "epoch";
      const isWhole = tail?.records[0]?.previous === 0;
      if (!isWhole || gap === "trimmed") {
        this.#begin(followed, tail, gap);
        return;
      }
      // All of another log is there, so that only what was in the one before is missing.
      const start = tail.records.findIndex(({ hole }) => hole !== true);
      const holes = start === -1 ? tail.records : tail.records.slice(0, start);
      this.#begin(followed, { ...tail, head: holes.at(-1)?.at ?? 0, records: holes }, gap);
    }
    for (const record of tail.records) {
      if (record.previous === followed.position?.at) this.#tell(followed, record);
    }
    const at = followed.position?.at ?? 0;
    if (at > position.at && at < tail.head) this.#read(followed);
  }

  #begin(followed: Followed, tail: LogTail | undefined, gap?: LogGap): void {
    const { listener, report } = this.#parts;
    const epoch = tail?.epoch ?? NO_EPOCH;
    const { position } = followed;
    if (position !== undefined && position.epoch !== epoch) {
      followed.left = position.epoch;
      followed.seen = new Map();
    }
    followed.position = { epoch, at: tail?.head ?? 0 };
    followed.emptySince = tail === undefined ? this.#session : -1;
    // A first attempt that has arrived behind its retry is there twice.
    const records = tail?.records.filter((record) => {
      const isAgain = record.number <= (followed.seen.get(record.origin) ?? 0);
      see(followed.seen, record);
      // Members get it from the record, so that R12 holds for it as well.
      see(followed.told, record);
      return !isAgain;
    });
    const known = tail && { ...tail, floor: tail.records[0]?.previous ?? tail.head, records: records ?? [] };
    guarded(report, () => listener.begun(followed.channel, known, gap));
  }

  /** @param late - the number of held records that came before the read began. */
  #settle(followed: Followed, late: number): void {
    const { held, isOverfull, waiting } = followed;
    followed.held = [];
    followed.isOverfull = false;
    for (const [index, record] of held.entries()) this.#take(followed, record, index < late);
    if (isOverfull) this.#read(followed);
    if (followed.isReading) return;
    followed.waiting = new Set();
    for (const known of waiting) guarded(this.#parts.report, known);
  }

  /** Has a log audited once it is silent. */
  #watch(channel: string): void {
    this.#silent.delete(channel);
    this.#lively.add(channel);
    this.#audit ??= this.#parts.clock.setTimeout(() => this.#compare(), AUDIT_DELAY);
  }

  /** R11: the last entry has no successor that would show its loss. */
  #compare(): void {
    const { report } = this.#parts;
    this.#audit = undefined;
    if (this.#isUp && this.#silent.size > 0) watch(report, this.#compareWith([...this.#silent]));
    this.#silent = this.#lively;
    this.#lively = new Set();
    if (this.#silent.size > 0) this.#audit = this.#parts.clock.setTimeout(() => this.#compare(), AUDIT_DELAY);
  }

  async #compareWith(channels: readonly string[]): Promise<void> {
    const session = this.#session;
    let heads: readonly (LogPosition | undefined)[];
    try {
      heads = await this.#parts.log.heads(channels);
    } catch (error) {
      // The next connection reads all logs.
      if (session === this.#session) this.#failed(error);
      return;
    }
    if (session !== this.#session) return;
    for (const [index, channel] of channels.entries()) {
      const followed = this.#followed.get(channel);
      if (followed?.position === undefined) continue;
      const { epoch, at } = heads[index] ?? NOWHERE;
      const { position } = followed;
      // A log that ends with its silence is missed by nobody, until something new is in its place.
      if (epoch !== NO_EPOCH && (epoch !== position.epoch || at > position.at)) this.#read(followed);
    }
  }

  #failed(cause: unknown): void {
    if (this.#reportedOn === this.#session) return;
    this.#reportedOn = this.#session;
    const message = `The engine does not let the record of a room be read. ${messageOf(cause)}`;
    this.#parts.report.failed(new HubError("ERR_HUB_BACKPLANE", message, { cause }), "backplane");
  }
}

/** Notes the last number of an origin, and forgets the origin that was silent longest if there are too many. */
function see(numbers: Map<string, number>, { origin, number }: Pick<LogRecord, "origin" | "number">): void {
  const last = Math.max(numbers.get(origin) ?? 0, number);
  numbers.delete(origin);
  numbers.set(origin, last);
  if (numbers.size <= MAX_ORIGINS) return;
  for (const oldest of numbers.keys()) {
    numbers.delete(oldest);
    return;
  }
}
