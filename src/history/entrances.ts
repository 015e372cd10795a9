import type { Codecs } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import { guarded, soon, type Guardian } from "../guard.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import type { Member } from "../members/member.ts";
import type { Members } from "../members/members.ts";
import type { Entered } from "../members/recorded-rooms.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { HOLE, isExcepted, isUncompressed } from "./note.ts";
import { PageCache } from "./page-cache.ts";
import type { RoomRecord } from "./records.ts";
import type { HistoryCounters } from "./statistics.ts";

/** The most bytes that a member is sent again in one turn of the event loop, or half of what may wait for it. */
const PAGE_BYTES = 64 * 1024;

/** The memory of the objects that an event of a page is made of, in bytes, roughly. */
const EVENT_BYTES = 256;

/** The way of a member into a room: it is sent what it has missed, and is a member from then on. */
export interface Entrance {
  readonly member: Member;
  readonly room: string;
  readonly record: RoomRecord;
  /** The ids of the sockets that the client has and had. */
  readonly sockets: readonly string[];
  /** The position up to which everything was sent. */
  at: number;
  /** The position behind which the member is owed everything. What is before it the rule gives to everybody who comes. */
  readonly owedBehind: number;
  /** Up to this position only the newest event of each key is sent. */
  readonly newestUntil: number;
  readonly entered: Entered[];
}

/** A recorded event as it is sent. */
interface Recorded {
  readonly at: number;
  readonly note: string;
  /** `undefined` for a hole. */
  readonly frame: OutgoingFrame | undefined;
}

/** Some events of a record that follow each other. */
interface Page {
  readonly events: readonly Recorded[];
  /** The position behind them. */
  readonly end: number;
}

/** The rooms that one member is on its way into, in the order in which it gets there. */
interface Arrival {
  readonly entrances: Map<string, Entrance>;
  /** Whether it goes on by itself, in a later turn. */
  isScheduled: boolean;
  timer: Timer | undefined;
}

export interface EntrancesParts {
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly counters: HistoryCounters;
  readonly delivery: Delivery<Member>;
  readonly maxBufferedBytes: number;
  readonly members: Members;
  readonly rates: RateLimits;
  readonly report: Guardian & EntrancesReport;
}

interface EntrancesReport {
  /** Called when the record of the room does not have what follows the entrance's position any more. */
  overrun(entrance: Entrance): void;
  /** Called when a member has come to a place where events were lost before they were recorded. */
  hole(entrance: Entrance, at: number): void;
  /** Called when a member was sent events that do not tell it its position. */
  moved(entrance: Entrance): void;
  /** Called for a member for which the hub itself fails. */
  fail(member: Member, error: unknown): void;
}

/**
 * The members that are sent what they have missed. They get it in pages, as fast as they read and as their rate allows; the
 * record holds the rest. With the last page they become members, in the same turn, so that no event falls between.
 */
export class Entrances {
  readonly #parts: EntrancesParts;
  readonly #pageBytes: number;
  readonly #arrivals = new Map<Member, Arrival>();
  readonly #pages: PageCache<Page>;
  #count = 0;

  constructor(parts: EntrancesParts) {
    this.#parts = parts;
    this.#pages = new PageCache(parts.clock);
    this.#pageBytes = Math.min(PAGE_BYTES, parts.maxBufferedBytes >> 1);
  }

  /** Number of entrances. */
  get count(): number {
    return this.#count;
  }

  /** Returns the number of rooms that a member is on its way into. */
  countOf(member: Member): number {
    return this.#arrivals.get(member)?.entrances.size ?? 0;
  }

  get(member: Member, room: string): Entrance | undefined {
    return this.#count === 0 ? undefined : this.#arrivals.get(member)?.entrances.get(room);
  }

  /**
   * Moves the position over events of the first page that are not for the member, so that it is told of one behind them: a
   * stream names only some of its sockets, and is told to leave an event out no more often than that.
   */
  skip(entrance: Entrance): void {
    const { member, record } = entrance;
    if (entrance.at === record.ring.head || this.#parts.rates.replayDelayOf(member) > 0) return;
    const { events, end } = this.#pageOf(entrance);
    const first = events.find((event) => this.#isWanted(entrance, event));
    if (first === events[0]) return;
    this.#charge(entrance, events, first);
    entrance.at = first === undefined ? end : first.at - 1;
  }

  /** Begins to send what the member has missed. */
  add(entrance: Entrance): void {
    const { member, room } = entrance;
    const known = this.#arrivals.get(member);
    const arrival = known ?? { entrances: new Map(), isScheduled: false, timer: undefined };
    if (known === undefined) this.#arrivals.set(member, arrival);
    arrival.entrances.set(room, entrance);
    entrance.record.entering++;
    this.#count++;
    this.#proceed(member, arrival);
  }

  /** Goes on with a member that has read what it was sent. */
  drained(member: Member): void {
    const arrival = this.#count === 0 ? undefined : this.#arrivals.get(member);
    if (arrival !== undefined) this.#proceed(member, arrival);
  }

  /** Takes a member off its way into a room. */
  remove({ member, room, record }: Entrance): void {
    const arrival = this.#arrivals.get(member);
    if (arrival?.entrances.delete(room) !== true) return;
    this.#count--;
    record.entering--;
    if (arrival.entrances.size > 0) return;
    arrival.timer?.cancel();
    this.#arrivals.delete(member);
  }

  /** Forgets everything, and stops. */
  stop(): void {
    this.#pages.clear();
  }

  /** Takes a member off all its ways. */
  end(member: Member): void {
    const arrival = this.#arrivals.get(member);
    if (arrival === undefined) return;
    arrival.timer?.cancel();
    this.#arrivals.delete(member);
    this.#count -= arrival.entrances.size;
    for (const { entered, record } of arrival.entrances.values()) {
      record.entering--;
      for (const call of entered) call(true);
    }
  }

  #proceed(member: Member, arrival: Arrival): void {
    for (const entrance of arrival.entrances.values()) {
      // Entering one room may have begun the way into another.
      if (arrival.isScheduled) return;
      const delay = this.#advance(entrance);
      if (delay === undefined) continue;
      if (delay < Number.POSITIVE_INFINITY && member.isReachable) this.#continueLater(member, arrival, delay);
      return;
    }
  }

  /**
   * Sends the next page. Returns how long the member has to wait for the next one, in milliseconds; infinity if it has to
   * read first; `undefined` if it is in the room.
   */
  #advance(entrance: Entrance): number | undefined {
    const { delivery, rates, report } = this.#parts;
    const { member, record } = entrance;
    const { ring } = record;
    if (!member.isReachable) return Number.POSITIVE_INFINITY;
    if (record.isForgotten || entrance.at < ring.floor) {
      this.#enter(entrance, () => report.overrun(entrance));
      return undefined;
    }
    if (entrance.at < ring.head) {
      if (member.backlog !== undefined) return Number.POSITIVE_INFINITY;
      const delay = rates.replayDelayOf(member);
      if (delay > 0) return delay;
      const { events, end } = this.#pageOf(entrance);
      let sent: Recorded | undefined;
      for (const event of events) {
        // What is sent to a member that does not read would be held twice.
        if (sent !== undefined && (member.backlog !== undefined || !member.isReachable)) break;
        sent = event;
        if (!this.#isWanted(entrance, event)) continue;
        if (event.frame === undefined) {
          report.hole(entrance, event.at);
          continue;
        }
        delivery.send(member, event.frame);
        this.#parts.counters.replayed++;
      }
      if (!member.isReachable) return Number.POSITIVE_INFINITY;
      this.#charge(entrance, events, sent);
      entrance.at = sent === undefined || sent === events.at(-1) ? end : sent.at;
      if (member.codec.stamp === undefined) report.moved(entrance);
      if (entrance.at < ring.head) return member.backlog === undefined ? 0 : Number.POSITIVE_INFINITY;
    }
    this.#enter(entrance);
    return undefined;
  }

  #enter(entrance: Entrance, before?: () => void): void {
    const { member, room, entered } = entrance;
    this.remove(entrance);
    before?.();
    // What it was sent may have been too much for it.
    if (member.open) this.#parts.members.rooms.join(member, room);
    for (const call of entered) call(true);
  }

  #continueLater(member: Member, arrival: Arrival, delay: number): void {
    const proceed = (): void => {
      arrival.isScheduled = false;
      arrival.timer = undefined;
      if (this.#arrivals.get(member) === arrival) this.#proceed(member, arrival);
    };
    const guardian = { error: (error: unknown): void => this.#parts.report.fail(member, error) };
    arrival.isScheduled = true;
    if (delay === 0) soon(guardian, proceed);
    else arrival.timer = this.#parts.clock.setTimeout(() => guarded(guardian, proceed), delay);
  }

  /** Charges what was looked at, because it costs something whether or not it is for the member. */
  #charge({ member }: Entrance, events: readonly Recorded[], last: Recorded | undefined): void {
    let bytes = 0;
    for (const event of events) {
      bytes += event.frame?.bytes.length ?? 0;
      if (event === last) break;
    }
    this.#parts.rates.chargeReplay(member, bytes);
  }

  #isWanted({ member, record, sockets, owedBehind, newestUntil }: Entrance, { at, note, frame }: Recorded): boolean {
    if (frame === undefined) return at > owedBehind;
    if (at <= newestUntil && !record.ring.isNewest(at)) return false;
    if (note === "") return true;
    const { rooms } = this.#parts.members;
    return !isExcepted(note, sockets, (room) => rooms.get(room)?.has(member) === true, record.witnesses);
  }

  #pageOf({ member, record, at }: Entrance): Page {
    const { codecs } = this.#parts;
    const { ring } = record;
    const codec = codecs.all.indexOf(member.codec);
    const name = `${codec} ${at} ${ring.head}`;
    let page = this.#pages.get(record, name);
    if (page === undefined) {
      const entries = ring.read(at, codec, this.#pageBytes);
      const events = entries.map(({ at: place, note, frame }) => {
        const isHole = note === HOLE;
        return { at: place, note, frame: isHole ? undefined : OutgoingFrame.of(frame, !isUncompressed(note)) };
      });
      const last = events.at(-1)?.at ?? ring.head;
      page = { events, end: last };
      this.#pages.set(record, name, page, byteLengthOf(page));
    }
    return page;
  }
}

/** The memory that a page takes, in bytes, with the ring's that it holds. */
function byteLengthOf({ events }: Page): number {
  return events.reduce((sum, { frame }) => sum + EVENT_BYTES + (frame?.bytes.length ?? 0), 0);
}
