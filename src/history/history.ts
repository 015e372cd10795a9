import type { Codecs, Encoding } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import type { Overload } from "../delivery/overload.ts";
import { isObject } from "../checks/option-rules.ts";
import { HubError } from "../errors.ts";
import { handled } from "../guard.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import { EVERYBODY, onlyRoom, type Audience } from "../members/audience.ts";
import type { Member } from "../members/member.ts";
import type { Members } from "../members/members.ts";
import type { Entered, RecordedRooms } from "../members/recorded-rooms.ts";
import type { RoomFeed } from "../members/room-feed.ts";
import { MAX_ROOMS_PER_REQUEST, type EventPacket } from "../protocol/packet.ts";
import type { Clock } from "../time/clock.ts";
import { Entrances, type Entrance } from "./entrances.ts";
import { Follower } from "./follower.ts";
import { HOLE, noteOf } from "./note.ts";
import { Notices, type HistoryReport } from "./notices.ts";
import { PendingJoins } from "./pending-joins.ts";
import { readPosition, streamOf, type GivenPosition } from "./position.ts";
import type { HistoryQuery, HistoryResult, RecordedEvent } from "./query.ts";
import { Records, type RoomRecord } from "./records.ts";
import type { Rule, Rules } from "./rules.ts";
import { zeroHistoryCounters, type HistoryStatistics } from "./statistics.ts";
import { Successors } from "./successors.ts";

export interface HistoryParts {
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly delivery: Delivery<Member>;
  /** The logs that the engine of the backplane keeps; `undefined` without a backplane. */
  readonly feed: RoomFeed | undefined;
  /** The most bytes that may wait for one member. */
  readonly maxBufferedBytes: number;
  readonly members: Members;
  readonly rates: RateLimits;
  readonly rules: Rules;
  /** Sends an event to the members of this node. */
  readonly deliver: (audience: Audience, encoding: Encoding) => void;
  readonly report: HistoryReport;
}

/** The longest time for which `hub.history` waits for the engine, in milliseconds. */
const READ_PATIENCE = 5_000;

/** What a read of the engine counts in `limits.replay`, in bytes. */
const READ_CHARGE = 64 * 1024;

/** The place of an event in the record of its room. */
export interface Recorded {
  /** With a backplane a promise, which rejects with `ERR_HUB_BACKPLANE`, `ERR_HUB_CLOSED`. */
  readonly at: number | Promise<number>;
}

/** A position that a member has given in its hello. */
interface HelloPosition {
  readonly position: GivenPosition;
  /** Whether the member has entered the room with it. */
  isUsed: boolean;
}

/** The records of rooms: what is sent to them, and what their members have missed. */
export class History implements RecordedRooms {
  readonly #parts: HistoryParts;
  readonly #counters = zeroHistoryCounters();
  readonly #records: Records;
  readonly #entrances: Entrances;
  readonly #notices: Notices;
  readonly #pending: PendingJoins;
  /** Hears the logs of the engine. */
  readonly follower: Follower;
  readonly #successors = new Successors();
  /** The positions that members have given in their hello, by room. */
  readonly #hellos = new Map<Member, Map<string, HelloPosition>>();

  constructor(parts: HistoryParts) {
    this.#parts = parts;
    const { clock, codecs, feed, members, rules, report } = parts;
    const counters = this.#counters;
    const successors = this.#successors;
    const isUsed = (room: string): boolean => members.rooms.get(room) !== undefined;
    const records = new Records({ rules, codecs: codecs.all.length, clock, feed, isUsed });
    const notices = new Notices({ ...parts, counters, successors });
    this.#records = records;
    this.#notices = notices;
    this.#pending = new PendingJoins(clock);
    this.#entrances = new Entrances({
      ...parts,
      counters,
      report: {
        failed: (error, source) => report.failed(error, source),
        fail: (member, error) => report.fail(member, error),
        overrun: ({ member, room, record }) => {
          const present = records.of(room, record.rule);
          notices.gap(member, present, present.epoch === record.epoch ? "overrun" : "epoch");
        },
        hole: ({ member, record }, at) => notices.gap(member, record, "hole", at),
        moved: ({ member, record, at }) => notices.position(member, record, at),
      },
    });
    this.follower = new Follower({
      ...parts,
      counters,
      notices,
      records,
      deliver: (record, at, audience, encoding) => this.#deliver(record, at, audience, encoding),
    });
  }

  /** Returns the counts and the present numbers. */
  get statistics(): HistoryStatistics {
    const { size: rooms, entries, byteLength: bytes } = this.#records;
    const { gaps, ...counters } = this.#counters;
    const { reads = 0, repairs = 0 } = this.#parts.feed ?? {};
    const waiting = this.#entrances.count + this.#pending.count;
    return { ...counters, gaps: { ...gaps }, reads, repairs, rooms, entries, bytes, waiting };
  }

  has(room: string): boolean {
    return this.#parts.rules.of(room) !== undefined;
  }

  /** Returns the rule by which events to an audience are recorded; `undefined` if they are not. */
  ruleOf(audience: Audience): Rule | undefined {
    const room = audience.volatile || audience.local ? undefined : onlyRoom(audience);
    return room === undefined ? undefined : this.#parts.rules.of(room);
  }

  /**
   * Records an event to one room, and sends it to the members: at once or, with a backplane, when the engine has it.
   *
   * @returns its place in the record.
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_MESSAGE_TOO_LARGE`, and then nothing was recorded.
   */
  send(rule: Rule, audience: Audience, packet: EventPacket, overload: Overload): Recorded {
    const { clock, codecs, deliver, feed } = this.#parts;
    const room = packet.room as string;
    if (feed !== undefined) {
      const encoding = codecs.encodeForAll(packet, true, overload, !audience.uncompressed);
      const isLost = rule.outage === "local" && !feed.isConnected;
      // The members of this node do not wait, and the others are told of a gap.
      if (isLost) deliver(this.#withoutSuccessors(audience), encoding);
      const place = feed.append(room, audience, isLost ? undefined : encoding, rule);
      // Of an event that was not recorded the hub tells by itself.
      return { at: handled(place.then(({ at }) => at)) };
    }
    const record = this.#records.of(room, rule);
    const at = record.ring.head + 1;
    const frames = codecs.encodeRecorded(packet, at, overload, !audience.uncompressed);
    this.#records.append(record, { at, time: clock.wall(), frames, note: noteOf(audience), key: overload.key });
    this.#counters.recorded++;
    for (const { bytes } of frames) this.#counters.recordedBytes += bytes.length;
    this.#deliver(record, at, audience, codecs.encodingOf(frames));
    return { at };
  }

  /** Keeps the positions that a client has given in its hello for the rooms that the server puts it into. */
  introduce(member: Member, since: unknown): void {
    if (!isObject(since)) return;
    const positions = new Map<string, HelloPosition>();
    for (const room of Object.keys(since)) {
      if (positions.size === MAX_ROOMS_PER_REQUEST) break;
      const position = this.has(room) ? readPosition(since[room]) : undefined;
      if (position !== undefined) positions.set(room, { position, isUsed: false });
    }
    if (positions.size > 0) this.#hellos.set(member, positions);
  }

  countEntering(member: Member): number {
    return this.#entrances.countOf(member) + this.#pending.countOf(member);
  }

  enter(member: Member, room: string, since: unknown, entered?: Entered): void {
    const { feed } = this.#parts;
    if (feed === undefined) this.#enter(member, room, since, list(entered), true);
    // Whoever was taken out of the room a moment ago, behind what is on its way, comes in again behind that.
    else feed.inLine([room], false, () => this.#ask(feed, member, room, since, entered));
  }

  inLine(rooms: readonly string[] | undefined, isBehindAll: boolean, act: () => void): void {
    const { feed } = this.#parts;
    if (feed === undefined) act();
    else feed.inLine(rooms, isBehindAll, act);
  }

  leave(member: Member, room: string, isTold: boolean): void {
    const { members } = this.#parts;
    this.#hellos.get(member)?.delete(room);
    const pending = this.#pending.remove(member, room);
    const entrance = this.#entrances.get(member, room);
    if (entrance !== undefined) this.#entrances.remove(entrance);
    else if (members.rooms.get(room)?.has(member) === true) members.rooms.leave(member, room);
    else if (pending === undefined) return;
    if (isTold) this.#notices.left(member, room);
    for (const call of entrance?.entered ?? pending ?? []) call(false);
  }

  /** Goes on with a member that has read what it was sent. */
  drained(member: Member): void {
    this.#entrances.drained(member);
  }

  ended(member: Member): void {
    this.#hellos.delete(member);
    this.#successors.delete(member);
    this.#pending.end(member);
    this.#entrances.end(member);
  }

  /**
   * Forgets the record of a room. Its members are told that their positions mean nothing any more.
   *
   * @throws {HubError} `ERR_HUB_BACKPLANE`; as a rejection.
   */
  async forget(room: string, rule: Rule): Promise<void> {
    const { feed, members } = this.#parts;
    if (feed !== undefined) {
      await feed.forget(room);
      // Who hears an entry of another log knows that the one before is gone.
      await feed.append(room, EVERYBODY, undefined, rule).catch(() => {});
      return;
    }
    if (!this.#records.forget(room)) return;
    for (const member of members.rooms.get(room) ?? []) {
      this.#notices.gap(member, this.#records.of(room, rule), "epoch");
    }
  }

  /**
   * Reads the record of a room.
   *
   * @throws {HubError} `ERR_HUB_BACKPLANE` if the engine does not let it be read; as a rejection.
   */
  async read(room: string, rule: Rule, query: HistoryQuery): Promise<HistoryResult> {
    const { clock, feed } = this.#parts;
    const given = readPosition(query.since);
    if (feed !== undefined) {
      this.#records.of(room, rule);
      await new Promise<void>((resolve, reject) => {
        const timer = clock.setTimeout(() => {
          callOff();
          reject(new HubError("ERR_HUB_BACKPLANE", "The engine has not let the record be read in time."));
        }, READ_PATIENCE);
        const callOff = feed.whenKnown(room, given, () => {
          timer.cancel();
          resolve();
        });
      });
    }
    return this.#read(this.#records.of(room, rule), given, query);
  }

  #read({ epoch, ring }: RoomRecord, given: GivenPosition | undefined, { last, limit }: HistoryQuery): HistoryResult {
    const { plain } = this.#parts.codecs;
    const isKnown = given?.epoch === epoch && given.at <= ring.head;
    const after = isKnown ? given.at : 0;
    const start = Math.max(after, last === undefined ? 0 : ring.before(last));
    const all = ring.read(start, this.#parts.codecs.all.indexOf(plain), Number.POSITIVE_INFINITY);
    const entries = all.filter(({ note }) => note !== HOLE).slice(0, limit);
    const complete = (given === undefined || isKnown) && after >= ring.floor && all.every(({ note }) => note !== HOLE);
    const events = entries.map(({ at, time, frame }): RecordedEvent => {
      const { binary, payload } = OutgoingFrame.of(frame, true);
      const { event, data } = plain.decode(binary ? payload : payload.toString()) as EventPacket;
      return { at, time, event, data };
    });
    const isCut = limit !== undefined && events.length === limit;
    const at = isCut ? (events.at(-1)?.at ?? start) : ring.head;
    return { events, stream: streamOf(epoch), at, complete };
  }

  /** Forgets everything, and stops. */
  stop(): void {
    this.#pending.stop();
    this.#records.stop();
  }

  /** Enters a room once this node knows what its record has behind the position that the client has given. */
  #ask(feed: RoomFeed, member: Member, room: string, since: unknown, entered: Entered | undefined): void {
    if (this.#pending.follows(member, room, entered)) return;
    const { rates, rules } = this.#parts;
    const record = this.#records.of(room, rules.of(room) as Rule);
    const given = readPosition(since) ?? this.#hellos.get(member)?.get(room)?.position;
    // Of the record before the room had a log there is nothing more to read. A client that has made up its position must not
    // have the engine asked as often as it likes.
    const isAhead = given?.epoch === record.epoch && given.at > record.ring.head;
    const isTooOften = isAhead && rates.replayDelayOf(member) > 0;
    if (isAhead && !isTooOften) rates.chargeReplay(member, READ_CHARGE);
    const asked = given?.epoch === record.formerEpoch || isTooOften ? undefined : given;
    const whenKnown = (known: () => void): (() => void) => feed.whenKnown(room, asked, known);
    this.#pending.add(member, room, whenKnown, entered, (isKnown, calls) => {
      this.#enter(member, room, since, calls, isKnown);
    });
  }

  #enter(member: Member, room: string, since: unknown, entered: readonly Entered[], isKnown: boolean): void {
    const isIn = (): void => {
      for (const call of entered) call(true);
    };
    const underWay = this.#entrances.get(member, room);
    if (underWay !== undefined) {
      underWay.entered.push(...entered);
      return;
    }
    const { members, rules } = this.#parts;
    if (!member.isReachable) {
      // Its client hears nothing any more, and will ask for everything on its next connection.
      if (member.open) members.rooms.join(member, room);
      isIn();
      return;
    }
    const hello = this.#hellos.get(member)?.get(room);
    const begun = hello?.isUsed === true ? hello.position : undefined;
    const given = readPosition(since) ?? (begun === undefined ? hello?.position : undefined);
    if (hello !== undefined) hello.isUsed = true;
    const record = this.#records.of(room, rules.of(room) as Rule);
    if (given !== undefined) this.#successors.add(member, given.sockets);
    if (members.rooms.get(room)?.has(member) === true) {
      this.#stay(member, record, given, begun);
      isIn();
      return;
    }
    // A client that was taken out may ask with its position before it knows; what was on its way then would come twice.
    const isOfNow = given !== undefined && record.continues(given.epoch) && given.sockets[0] === member.id;
    const entrance = this.#entranceOf(member, record, isOfNow ? undefined : given, isKnown);
    // What it was told may have been too much for it.
    if (!member.isReachable) {
      isIn();
      return;
    }
    entrance.entered.push(...entered);
    this.#entrances.add(entrance);
  }

  /** Sends an event of a record to its members. */
  #deliver(record: RoomRecord, at: number, audience: Audience, encoding: Encoding): void {
    const { codecs, deliver, members } = this.#parts;
    deliver(this.#withoutSuccessors(audience), encoding);
    if (codecs.areStamped) return;
    for (const member of members.rooms.get(record.room) ?? []) {
      if (member.codec.stamp === undefined) this.#notices.position(member, record, at);
    }
  }

  /** Returns the audience without the successors of the sockets that it leaves out. */
  #withoutSuccessors(audience: Audience): Audience {
    const exceptSockets = this.#successors.withSuccessors(audience.exceptSockets);
    return exceptSockets === audience.exceptSockets ? audience : { ...audience, exceptSockets };
  }

  /** Tells a member where its position in a room begins, and returns its way into the room from there. */
  #entranceOf(member: Member, record: RoomRecord, given: GivenPosition | undefined, isKnown: boolean): Entrance {
    const { ring, room, rule } = record;
    const isOfRecord = given !== undefined && record.continues(given.epoch) && given.at <= ring.head;
    const isRecovery = isOfRecord && given.at >= ring.floor;
    const isOfLatest = !isRecovery && rule.replay === "latest";
    const first = typeof rule.replay === "number" && rule.replay > 0 ? ring.before(rule.replay) : ring.head;
    const entrance: Entrance = {
      member,
      room,
      record,
      sockets: [member.id, ...this.#successors.earlierOf(member)],
      at: isRecovery ? given.at : isOfLatest ? ring.floor : first,
      owedBehind: isRecovery ? given.at : ring.head,
      newestUntil: isOfLatest ? ring.head : 0,
      entered: [],
    };
    this.#entrances.skip(entrance);
    if (isRecovery) this.#counters.recoveries++;
    if (isRecovery || given === undefined) this.#notices.position(member, record, entrance.at);
    else this.#notices.gap(member, record, !isKnown ? "unavailable" : isOfRecord ? "trimmed" : "epoch", entrance.at);
    return entrance;
  }

  /**
   * Answers a position that a member gives for a room that it is in. One of an earlier connection comes too late: what was
   * sent between that and this membership is missing. A library client that is put into the room by the server, with the
   * position in its hello, asks for the room with the same one, which was answered.
   */
  #stay(member: Member, record: RoomRecord, given: GivenPosition | undefined, begun: GivenPosition | undefined): void {
    if (given === undefined || given.sockets[0] === member.id) return;
    if (given.epoch === begun?.epoch && given.at >= begun.at) return;
    if (!record.continues(given.epoch)) this.#notices.gap(member, record, "epoch");
    else if (given.at < record.ring.head) this.#notices.gap(member, record, "overrun");
  }
}

function list<I>(item: I | undefined): readonly I[] {
  return item === undefined ? [] : [item];
}
