import type { Codecs, Encoding } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import type { Overload } from "../delivery/overload.ts";
import { isObject } from "../checks/option-rules.ts";
import { HubError } from "../errors.ts";
import { guarded, handled } from "../guard.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import { onlyRoom, type Audience } from "../members/audience.ts";
import type { Member } from "../members/member.ts";
import type { Members } from "../members/members.ts";
import type { Entered, RecordedRooms } from "../members/recorded-rooms.ts";
import type { Mark, Marks, RoomFeed } from "../members/room-feed.ts";
import { MAX_ROOMS_PER_REQUEST, type EventPacket } from "../protocol/packet.ts";
import type { Clock } from "../time/clock.ts";
import { Departures, type Departure } from "./departures.ts";
import { Entrances, type Entrance } from "./entrances.ts";
import { Follower } from "./follower.ts";
import { HOLE, leavesOut, noteOf } from "./note.ts";
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
  /** Whether this process may have sockets. */
  readonly isNode: boolean;
  readonly members: Members;
  readonly rates: RateLimits;
  readonly rules: Rules;
  /** Sends an event to the members of this node. */
  readonly deliver: (audience: Audience, encoding: Encoding) => void;
  readonly report: HistoryReport;
}

/** A member that enters a room. */
interface Entering {
  readonly member: Member;
  readonly room: string;
  readonly since: unknown;
  readonly entered: readonly Entered[];
  /** Whether this node knows the record. */
  readonly isKnown: boolean;
  /** The last events that were sent before. */
  readonly marks: readonly Mark[];
}

/** Where the way of a member into a room begins. */
interface Beginning extends Pick<Entering, "member" | "isKnown" | "marks"> {
  readonly record: RoomRecord;
  readonly given: GivenPosition | undefined;
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
  readonly #departures: Departures;
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
    this.#departures = new Departures(clock);
    this.follower = new Follower({
      ...parts,
      counters,
      departures: this.#departures,
      notices,
      records,
      deliver: (record, at, audience, encoding) => {
        this.#deliver(record, at, audience, encoding);
        this.#deliverTo(this.#departures.of(record.room), audience, encoding);
      },
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
    const { clock, codecs, deliver, feed, isNode } = this.#parts;
    const room = packet.room as string;
    if (feed !== undefined) {
      const encoding = codecs.encodeForAll(packet, true, overload, !audience.uncompressed);
      const isLost = rule.outage === "local" && isNode && feed.isCut;
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

  enter(member: Member, room: string, since: unknown, entered?: Entered, mark?: Mark): void {
    const { feed } = this.#parts;
    if (feed === undefined) {
      this.#enter({ member, room, since, entered: list(entered), isKnown: true, marks: [] });
      return;
    }
    this.#ask(feed, member, room, since, entered, mark ?? feed.mark);
  }

  leave(member: Member, room: string, isTold: boolean, marks?: Marks): void {
    const { members } = this.#parts;
    this.#hellos.get(member)?.delete(room);
    // A client that leaves by itself forgets its position.
    if (!isTold) this.#departures.endOf(member, room);
    const calls = this.#pending.remove(member, room);
    const entrance = this.#entrances.get(member, room);
    const tell = (): void => {
      if (isTold && member.open) this.#notices.left(member, room);
    };
    if (entrance !== undefined) {
      this.#entrances.remove(entrance);
      tell();
    } else if (members.rooms.get(room)?.has(member) === true) {
      const rooms = roomsBefore(member);
      members.rooms.leave(member, room);
      const mark = isTold ? this.#onItsWay(room, marks) : undefined;
      if (mark === undefined) tell();
      else this.#departures.add({ member, room, mark, rooms, done: tell });
    } else if (calls !== undefined) {
      tell();
    }
    for (const call of [...(entrance?.entered ?? []), ...(calls ?? [])]) call(false);
  }

  depart(member: Member, marks?: Marks): Promise<void> | undefined {
    const { feed, members } = this.#parts;
    // In an outage nothing arrives that could be waited for.
    if (feed === undefined || feed.isCut) return undefined;
    const left: [room: string, mark: Mark][] = [];
    const rooms = roomsBefore(member);
    for (const room of rooms) {
      const mark = this.#onItsWay(room, marks);
      if (mark === undefined) continue;
      members.rooms.leave(member, room);
      left.push([room, mark]);
    }
    if (left.length === 0 && !this.#departures.has(member)) return undefined;
    return new Promise((resolve) => {
      for (const [room, mark] of left) this.#departures.add({ member, room, mark, rooms, done: () => {} });
      let open = 0;
      const done = (): void => {
        if (--open === 0) resolve();
      };
      open = this.#departures.whenDone(member, done);
    });
  }

  joined(): Promise<void> | undefined {
    return this.#pending.count === 0 ? undefined : this.#pending.settled();
  }

  /** Resolves when what was sent to records has reached the members; `undefined` if everything has. */
  settled(): Promise<unknown> | undefined {
    return this.#parts.feed?.settled();
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
      await feed.forget(room, rule);
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
    this.#departures.stop();
    this.#entrances.stop();
    this.#records.stop();
  }

  /** Returns the last event that a node had sent to a room, if it was not handed over here yet; by default this node. */
  #onItsWay(room: string, marks: Marks | undefined): Mark | undefined {
    const { feed } = this.#parts;
    if (feed === undefined) return undefined;
    const { origin } = marks ?? feed.mark;
    const number = marks === undefined ? feed.pendingOf(room) : marks.numbers.get(room);
    return number === undefined || number <= feed.heardOf(room, origin) ? undefined : { origin, number };
  }

  /** Enters a room once this node knows what its record has behind the position that the client has given. */
  #ask(feed: RoomFeed, member: Member, room: string, given: unknown, entered: Entered | undefined, mark: Mark): void {
    if (this.#pending.follows(member, room, { since: given, entered, mark })) return;
    const { rates, rules } = this.#parts;
    const record = this.#records.of(room, rules.of(room) as Rule);
    const position = readPosition(given) ?? this.#hellos.get(member)?.get(room)?.position;
    // Of the record before the room had a log there is nothing more to read. A client that has made up its position must not
    // have the engine asked as often as it likes.
    const isAhead = position?.epoch === record.epoch && position.at > record.ring.head;
    const isTooOften = isAhead && rates.replayDelayOf(member) > 0;
    if (isAhead && !isTooOften) rates.chargeReplay(member, READ_CHARGE);
    const asked = position?.epoch === record.formerEpoch || isTooOften ? undefined : position;
    this.#pending.add(member, room, {
      since: given,
      whenKnown: (known) => feed.whenKnown(room, asked, known),
      entered,
      mark,
      act: (isKnown, { since, entered: calls, marks }) => {
        this.#enter({ member, room, since, entered: calls, isKnown, marks });
      },
    });
  }

  #enter({ member, room, since, entered, isKnown, marks }: Entering): void {
    const isIn = (): void => {
      for (const call of entered) call(true);
    };
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
    const underWay = this.#entrances.get(member, room);
    if (underWay !== undefined) {
      this.#stay(member, underWay.record, given, begun, underWay.at);
      underWay.entered.push(...entered);
      return;
    }
    if (members.rooms.get(room)?.has(member) === true) {
      this.#stay(member, record, given, begun, record.ring.head);
      isIn();
      return;
    }
    // A client that was taken out may ask with its position before it knows; what was on its way then would come twice.
    const isOfNow = given !== undefined && record.continues(given.epoch) && given.sockets[0] === member.id;
    // Who comes in again hears the rest as a member.
    this.#departures.endOf(member, room);
    const entrance = this.#entranceOf({ member, record, given: isOfNow ? undefined : given, isKnown, marks });
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

  /** Sends an event of a record to members that have left it since. */
  #deliverTo(left: readonly Departure[], audience: Audience, encoding: Encoding): void {
    const { delivery, report } = this.#parts;
    for (const { member, rooms } of left) {
      const sockets = [member.id, ...this.#successors.earlierOf(member)];
      if (leavesOut(audience, sockets, (room) => rooms.has(room))) continue;
      const frame = encoding instanceof OutgoingFrame ? encoding : encoding.get(member.codec);
      if (frame === undefined || !member.isReachable) continue;
      guarded({ error: (error) => report.fail(member, error) }, () => delivery.send(member, frame));
    }
  }

  /** Returns the audience without the successors of the sockets that it leaves out. */
  #withoutSuccessors(audience: Audience): Audience {
    const exceptSockets = this.#successors.withSuccessors(audience.exceptSockets);
    return exceptSockets === audience.exceptSockets ? audience : { ...audience, exceptSockets };
  }

  /** Tells a member where its position in a room begins, and returns its way into the room from there. */
  #entranceOf({ member, record, given, isKnown, marks }: Beginning): Entrance {
    const { ring, room, rule } = record;
    const isOfRecord = given !== undefined && record.continues(given.epoch) && given.at <= ring.head;
    const isRecovery = isOfRecord && given.at >= ring.floor;
    const isOfLatest = !isRecovery && rule.replay === "latest";
    // What was sent behind the call that puts the member into the room is for it.
    const called = Math.min(ring.head, ...marks.map((mark) => record.placeBehind(mark)));
    const first =
      typeof rule.replay === "number" && rule.replay > 0 ? Math.min(ring.before(rule.replay), called) : called;
    const entrance: Entrance = {
      member,
      room,
      record,
      sockets: [member.id, ...this.#successors.earlierOf(member)],
      at: isRecovery ? given.at : isOfLatest ? ring.floor : first,
      owedBehind: isRecovery ? given.at : called,
      newestUntil: isOfLatest ? ring.head : 0,
      entered: [],
    };
    this.#entrances.skip(entrance);
    if (isRecovery) this.#counters.recoveries++;
    if (isKnown && (isRecovery || given === undefined)) this.#notices.position(member, record, entrance.at);
    else this.#notices.gap(member, record, !isKnown ? "unavailable" : isOfRecord ? "trimmed" : "epoch", entrance.at);
    return entrance;
  }

  /**
   * Answers a position that a member gives for a room that it is in. One of an earlier connection comes too late: what was
   * sent between that and this membership is missing. A library client that is put into the room by the server, with the
   * position in its hello, asks for the room with the same one, which was answered.
   */
  #stay(
    member: Member,
    record: RoomRecord,
    given: GivenPosition | undefined,
    begun: GivenPosition | undefined,
    at: number,
  ): void {
    if (given === undefined || given.sockets[0] === member.id) return;
    if (given.epoch === begun?.epoch && given.at >= begun.at) return;
    if (!record.continues(given.epoch)) this.#notices.gap(member, record, "epoch", at);
    else if (given.at < at) this.#notices.gap(member, record, "overrun", at);
  }
}

/** Returns a copy of the rooms of a member. */
function roomsBefore({ rooms }: Member): ReadonlySet<string> {
  return new Set(typeof rooms === "object" ? rooms : list(rooms));
}

function list<I>(item: I | undefined): readonly I[] {
  return item === undefined ? [] : [item];
}
