import { nanoid } from "nanoid";
import type { Appended, LogEntry, LogLimits, LogPosition, LogRecord, LogTail } from "../backplane.ts";

/** Length of an epoch: enough that no two logs ever have the same one. */
const EPOCH_LENGTH = 12;

/** What an entry, and a log, take beside their bytes and names, in bytes. */
const OVERHEAD = 256;

/** The log of one channel. */
interface Log {
  readonly channel: string;
  readonly epoch: string;
  readonly records: LogRecord[];
  head: number;
  floor: number;
  /** The time at which it ends unless something is appended. */
  due: number;
}

/** What an append has done. */
export interface Appendage {
  /** What is handed to the subscribers, in order. */
  readonly records: readonly LogRecord[];
  readonly places: readonly Appended[];
}

/** The logs of an engine that keeps them in the memory of one process: see {@link BackplaneLog}. */
export class MemoryLog {
  /** The most bytes of all logs. Above, the oldest entries go first of the channel that was silent longest. */
  maxBytes: number = Infinity;
  readonly #now: () => number;
  /** The logs by their channels, that of the longest silence first. */
  readonly #logs = new Map<string, Log>();
  /** Those of them that have entries, in the same order. */
  readonly #filled = new Set<Log>();
  #bytes = 0;

  /** @param now - returns the time in milliseconds, which never goes back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Appends entries, each of which may be there already if it is a retry. */
  append(channel: string, entries: readonly LogEntry[], { size, age }: LogLimits, retry?: LogPosition): Appendage {
    const log = this.#of(channel) ?? this.#begin(channel);
    const [first] = entries;
    // All are looked for before any is appended, or the first would speak for those behind it.
    const known = first === undefined || retry === undefined ? 0 : knownOf(log, first.origin, retry);
    const records: LogRecord[] = [];
    const places = entries.map((entry): Appended => {
      if (known !== "unknown" && entry.number <= known) return placeOf(log, entry);
      const isUnknown = known === "unknown" && entry.hole !== true;
      const { origin, number } = entry;
      const appended: LogEntry = isUnknown ? { origin, number, envelope: new Uint8Array(), hole: true } : entry;
      const { epoch, head } = log;
      const record: LogRecord = { ...appended, epoch, at: ++log.head, previous: head };
      log.records.push(record);
      this.#bytes += sizeOf(record);
      records.push(record);
      return isUnknown ? "unknown" : { epoch, at: log.head };
    });
    while (log.records.length > size) this.#trim(log);
    log.due = this.#now() + age;
    this.#logs.delete(channel);
    this.#logs.set(channel, log);
    this.#filled.delete(log);
    this.#filled.add(log);
    this.#bound();
    return { records, places };
  }

  read(channel: string, after: LogPosition, most: number): LogTail | undefined {
    const log = this.#of(channel);
    if (log === undefined) return undefined;
    const { epoch, head, floor, records } = log;
    const isContinued = after.epoch === epoch && after.at >= floor;
    const found = isContinued ? records.filter(({ at }) => at > after.at).slice(0, most) : records.slice(-most);
    return { epoch, head, floor, records: found };
  }

  headOf(channel: string): LogPosition | undefined {
    const log = this.#of(channel);
    return log === undefined ? undefined : { epoch: log.epoch, at: log.head };
  }

  forget(channel: string): void {
    const log = this.#logs.get(channel);
    if (log !== undefined) this.#end(log);
  }

  #of(channel: string): Log | undefined {
    const log = this.#logs.get(channel);
    if (log === undefined || log.due > this.#now()) return log;
    this.#end(log);
    return undefined;
  }

  #begin(channel: string): Log {
    this.#bytes += channel.length + OVERHEAD;
    return { channel, epoch: nanoid(EPOCH_LENGTH), records: [], head: 0, floor: 0, due: 0 };
  }

  #end(log: Log): void {
    while (log.records.length > 0) this.#trim(log);
    this.#bytes -= log.channel.length + OVERHEAD;
    this.#filled.delete(log);
    this.#logs.delete(log.channel);
  }

  /** Removes the oldest entry of a log. */
  #trim(log: Log): void {
    const record = log.records.shift();
    if (record === undefined) return;
    log.floor = record.at;
    this.#bytes -= sizeOf(record);
  }

  /** Removes what has ended, as far as it was silent longest, and what is too much: entries first, so that epochs go on. */
  #bound(): void {
    const now = this.#now();
    for (const log of this.#logs.values()) {
      if (log.due > now) break;
      this.#end(log);
    }
    for (const log of this.#filled) {
      while (this.#bytes > this.maxBytes && log.records.length > 0) this.#trim(log);
      if (log.records.length > 0) break;
      this.#filled.delete(log);
    }
    for (const log of this.#logs.values()) {
      if (this.#bytes <= this.maxBytes) break;
      this.#end(log);
    }
  }
}

function sizeOf({ envelope }: LogRecord): number {
  return envelope.byteLength + OVERHEAD;
}

/**
 * Looks back for the newest entry of an origin. Returns its number: none above was appended; 0 if none was; `"unknown"` if
 * so much was trimmed since the first attempt that nobody can tell.
 */
function knownOf({ epoch, floor, records }: Log, origin: string, retry: LogPosition): number | "unknown" {
  const newest = records.findLast((record) => record.origin === origin);
  if (newest !== undefined) return newest.number;
  return floor === 0 || (epoch === retry.epoch && floor <= retry.at) ? 0 : "unknown";
}

/** The place of an entry that was appended before. */
function placeOf({ records, epoch }: Log, { origin, number }: LogEntry): Appended {
  const record = records.find((other) => other.origin === origin && other.number === number);
  return record === undefined || record.hole === true ? "unknown" : { epoch, at: record.at };
}
