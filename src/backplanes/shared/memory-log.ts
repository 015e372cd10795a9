import { nanoid } from "nanoid";
import type { Appended, LogEntry, LogLimits, LogPosition, LogRecord, LogTail } from "../backplane.ts";

/** Length of an epoch: enough that no two logs ever have the same one. */
const EPOCH_LENGTH = 12;

/** The log of one channel. */
interface Log {
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
  readonly #now: () => number;
  readonly #logs = new Map<string, Log>();

  /** @param now - returns the time in milliseconds, which never goes back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Appends entries, each of which may be there already if it is a retry. */
  append(channel: string, entries: readonly LogEntry[], { size, age }: LogLimits, retry?: LogPosition): Appendage {
    const log = this.#of(channel) ?? { epoch: nanoid(EPOCH_LENGTH), records: [], head: 0, floor: 0, due: 0 };
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
      records.push(record);
      return isUnknown ? "unknown" : { epoch, at: log.head };
    });
    while (log.records.length > size) log.floor = log.records.shift()?.at ?? log.floor;
    log.due = this.#now() + age;
    this.#logs.set(channel, log);
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
    this.#logs.delete(channel);
  }

  #of(channel: string): Log | undefined {
    const log = this.#logs.get(channel);
    if (log === undefined || log.due > this.#now()) return log;
    this.#logs.delete(channel);
    return undefined;
  }
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
