import { nanoid } from "nanoid";
import type { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import type { Mark, RoomFeed } from "../members/room-feed.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { Queue } from "./queue.ts";
import { Ring } from "./ring.ts";
import type { Rule, Rules } from "./rules.ts";

/** Length of an epoch: enough that no two records ever have the same one. */
const EPOCH_LENGTH = 12;

/** The most empty records of a rule whose rooms have no members; above, the oldest are forgotten. */
const MAX_EMPTY = 16_384;

/** The time for which a record that follows a log is kept without members, at least, in milliseconds. */
const LINGER = 60_000;

/** The records of one rule: those with events, and those without, each in the order in which they fell silent. */
interface Silent {
  readonly rule: Rule;
  readonly filled: Queue<RoomRecord>;
  readonly empty: Queue<RoomRecord>;
}

const NOBODY: ReadonlySet<string> = new Set();

/** The time for which it is known who has sent an event, in milliseconds: longer than a join waits. */
const LATELY = 10_000;

/** The number of events of which that is known at least. */
const MIN_ORIGINS = 64;

/** Who has sent an event of a record. */
interface EventOrigin extends Mark {
  readonly at: number;
  /** When this node has heard of it, in milliseconds. */
  readonly time: number;
}

/** An event as it is recorded. */
export interface RecordEntry {
  readonly at: number;
  readonly time: number;
  readonly frames: readonly Pick<OutgoingFrame, "bytes">[];
  readonly note: string;
  readonly key: string | undefined;
}

/** The record of one room. */
export class RoomRecord {
  readonly room: string;
  readonly rule: Rule;
  /** The records of the same rule. */
  readonly silent: Silent;
  /** Names this record among all that the room ever has. */
  readonly epoch: string;
  readonly ring: Ring;
  /** Whether this node knows what the engine has of the room. Without a backplane there is nothing else. */
  isKnown: boolean;
  /** The epoch of the record before the room had a log, which goes on in this one. */
  formerEpoch: string | undefined = undefined;
  /** The ids of the members that were told of the gap with which the record began. */
  witnesses: ReadonlySet<string> = NOBODY;
  /** Who has sent the events that this node has read or heard of late, in their order. */
  #origins: EventOrigin[] = [];
  /** The number of these at which it is looked which are old. */
  #mostOrigins = MIN_ORIGINS;
  /** Number of members that are on their way into the room. */
  entering = 0;
  /** Whether the record was forgotten: the room has another one by now, or none. */
  isForgotten = false;
  /** The time since when it is in its queue, in milliseconds. */
  since = 0;
  /** Whether an empty record is kept once more, because the room had members when it was looked at. */
  wasUsed = true;
  queue: Queue<RoomRecord> | undefined = undefined;
  previous: RoomRecord | undefined = undefined;
  next: RoomRecord | undefined = undefined;

  constructor(room: string, silent: Silent, { epoch, isKnown, start, ...ring }: RecordParts) {
    const { size, keepsLatest, replay } = silent.rule;
    this.room = room;
    this.rule = silent.rule;
    this.silent = silent;
    this.epoch = epoch;
    this.isKnown = isKnown;
    this.ring = new Ring({ ...ring, start, size, keyed: keepsLatest || replay === "latest", keepsLatest });
  }

  /** Returns the place before the first event of a node behind this one; the end of the record if there is none. */
  placeBehind({ origin, number }: Mark): number {
    const first = this.#origins.find((event) => event.origin === origin && event.number > number);
    return first === undefined ? this.ring.head : first.at - 1;
  }

  /** Notes who has sent an event. */
  note(event: EventOrigin): void {
    this.#origins.push(event);
    if (this.#origins.length < this.#mostOrigins) return;
    this.#origins = this.#origins.filter(({ time }) => event.time - time < LATELY);
    this.#mostOrigins = Math.max(MIN_ORIGINS, 2 * this.#origins.length);
  }

  /** Returns whether this record continues that of an epoch. */
  continues(epoch: string): boolean {
    return epoch === this.epoch || epoch === this.formerEpoch;
  }
}

interface RecordParts {
  readonly epoch: string;
  readonly isKnown: boolean;
  /** The position behind which the record begins. */
  readonly start: number;
  readonly codecs: number;
  readonly sized: (difference: number) => void;
}

export interface RecordsParts {
  readonly rules: Rules;
  /** Number of codecs in which events are kept. */
  readonly codecs: number;
  readonly clock: Clock;
  /** The logs that the records follow; `undefined` without a backplane. */
  readonly feed: RoomFeed | undefined;
  /** Returns whether a room has members. */
  readonly isUsed: (room: string) => boolean;
}

/**
 * The records of all rooms. They are bounded in bytes, and each ends with the silence of its room.
 *
 * A record has events until its room was silent for the `age` of the rule. Without events it stays as long as the room
 * has members and for `age` longer, because clients that come back have positions in it.
 */
export class Records {
  readonly #parts: RecordsParts;
  readonly #records = new Map<string, RoomRecord>();
  readonly #silent: readonly Silent[];
  readonly #byRule: ReadonlyMap<Rule, Silent>;
  #byteLength = 0;
  #timer: Timer | undefined;
  #lingering: Timer | undefined;
  #due = Number.POSITIVE_INFINITY;

  constructor(parts: RecordsParts) {
    this.#parts = parts;
    this.#silent = parts.rules.all.map((rule) => ({ rule, filled: new Queue(), empty: new Queue() }));
    this.#byRule = new Map(this.#silent.map((silent) => [silent.rule, silent]));
  }

  /** Number of rooms with a record. */
  get size(): number {
    return this.#records.size;
  }

  /** Number of events in all records. */
  get entries(): number {
    let count = 0;
    for (const { ring } of this.#records.values()) count += ring.count;
    return count;
  }

  /** Number of bytes that all events take. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Returns the record of a room, if there is one. */
  get(room: string): RoomRecord | undefined {
    return this.#records.get(room);
  }

  /** Returns the record of a room, and begins one if there is none. */
  of(room: string, rule: Rule): RoomRecord {
    const known = this.#records.get(room);
    if (known !== undefined) return known;
    const { clock, feed } = this.#parts;
    const silent = this.#byRule.get(rule) as Silent;
    if (silent.empty.length >= MAX_EMPTY) this.#forgetEmpty(silent.empty);
    const record = this.#begin(room, silent, nanoid(EPOCH_LENGTH), 0, feed === undefined);
    if (feed !== undefined) {
      feed.follow(room, rule.size);
      this.#lingering ??= clock.setTimeout(this.#sweep, LINGER);
    }
    return record;
  }

  /**
   * Begins the record of a room anew.
   *
   * @param log - the epoch of the log that it follows, and the position behind which it begins; `undefined` if there is none.
   */
  replace(old: RoomRecord, log?: { readonly epoch: string; readonly floor: number }): RoomRecord {
    old.isForgotten = true;
    old.queue?.remove(old);
    old.ring.clear();
    return this.#begin(old.room, old.silent, log?.epoch ?? nanoid(EPOCH_LENGTH), log?.floor ?? 0, true);
  }

  #begin(room: string, silent: Silent, epoch: string, start: number, isKnown: boolean): RoomRecord {
    const sized = (difference: number): void => {
      this.#byteLength += difference;
    };
    const record = new RoomRecord(room, silent, { epoch, isKnown, start, codecs: this.#parts.codecs, sized });
    this.#records.set(room, record);
    this.#wait(record, silent.empty);
    return record;
  }

  /** Appends an event to a record. */
  append(record: RoomRecord, event: RecordEntry): void {
    const { at, time, frames, note, key } = event;
    record.ring.push(at, time, frames, note, key);
    this.#wait(record, record.silent.filled);
    if (this.#byteLength > this.#parts.rules.maxBytes) this.#trim();
  }

  /** Forgets the record of a room, so that positions in it mean nothing any more. Returns whether there was one. */
  forget(room: string): boolean {
    const record = this.#records.get(room);
    if (record !== undefined) this.#forget(record);
    return record !== undefined;
  }

  /** Forgets everything, and stops the timer. */
  stop(): void {
    for (const record of this.#records.values()) this.#forget(record);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#lingering?.cancel();
    this.#lingering = undefined;
  }

  /** Forgets the records whose rooms had no members for a while: the engine has the rest. */
  readonly #sweep = (): void => {
    for (const record of this.#records.values()) {
      const isUsed = this.#parts.isUsed(record.room) || record.entering > 0;
      if (!isUsed && !record.wasUsed) this.#forget(record);
      record.wasUsed = isUsed;
    }
    this.#lingering = this.#records.size === 0 ? undefined : this.#parts.clock.setTimeout(this.#sweep, LINGER);
  };

  /** Puts a record at the end of a queue, in which it waits for the `age` of its rule. */
  #wait(record: RoomRecord, queue: Queue<RoomRecord>): void {
    record.since = this.#parts.clock.now();
    queue.push(record);
    this.#watch(record.since + record.rule.age);
  }

  /** Sets the timer to this time, unless it fires earlier. */
  #watch(due: number): void {
    if (due >= this.#due) return;
    const { clock } = this.#parts;
    this.#timer?.cancel();
    this.#due = due;
    this.#timer = clock.setTimeout(this.#expire, Math.max(due - clock.now(), 1));
  }

  readonly #expire = (): void => {
    const now = this.#parts.clock.now();
    this.#timer = undefined;
    this.#due = Number.POSITIVE_INFINITY;
    for (const silent of this.#silent) {
      const { rule, filled, empty } = silent;
      for (let record = filled.first; record !== undefined; record = filled.first) {
        if (record.since + rule.age > now) break;
        record.ring.clear();
        this.#empty(record);
      }
      for (let record = empty.first; record !== undefined; record = empty.first) {
        if (record.since + rule.age > now) break;
        this.#spare(record);
      }
      for (const { first } of [filled, empty]) if (first !== undefined) this.#watch(first.since + rule.age);
    }
  };

  /** Keeps a record that has no events any more, because of the positions in it. */
  #empty(record: RoomRecord): void {
    record.wasUsed = true;
    this.#wait(record, record.silent.empty);
  }

  /** Forgets a record without events, unless its room has members, or has had some since it was looked at. */
  #spare(record: RoomRecord): void {
    const isUsed = this.#parts.isUsed(record.room);
    if (!isUsed && !record.wasUsed) {
      this.#forget(record);
      return;
    }
    record.wasUsed = isUsed;
    this.#wait(record, record.silent.empty);
  }

  /** Trims the oldest events of the room that was silent longest, until the records take no more than they may. */
  #trim(): void {
    while (this.#byteLength > this.#parts.rules.maxBytes) {
      let record: RoomRecord | undefined;
      for (const { filled } of this.#silent) {
        const { first } = filled;
        if (first !== undefined && (record === undefined || first.since < record.since)) record = first;
      }
      if (record === undefined) return;
      record.ring.trimChunk();
      if (record.ring.count === 0) this.#empty(record);
    }
  }

  /** Looks at the oldest empty records, so that they do not become many more than the rooms that have members. */
  #forgetEmpty(empty: Queue<RoomRecord>): void {
    for (let count = 0; count < 2; count++) {
      const { first } = empty;
      if (first === undefined) return;
      if (this.#parts.isUsed(first.room)) this.#wait(first, empty);
      else this.#forget(first);
    }
  }

  #forget(record: RoomRecord): void {
    record.isForgotten = true;
    record.queue?.remove(record);
    record.ring.clear();
    this.#records.delete(record.room);
    this.#parts.feed?.unfollow(record.room);
  }
}
