import type { Codecs, Encoding } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import type { Overload } from "../delivery/overload.ts";
import { isCount, isObject } from "../checks/option-rules.ts";
import { HubError } from "../errors.ts";
import { guarded } from "../guard.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import { onlyRoom, type Audience } from "../members/audience.ts";
import type { Member } from "../members/member.ts";
import type { Members } from "../members/members.ts";
import type { Entered, RecordedRooms } from "../members/recorded-rooms.ts";
import type { Codec } from "../protocol/codec.ts";
import {
  ControlEvent,
  MAX_ROOMS_PER_REQUEST,
  type EventPacket,
  type GapReason,
  type Left,
  type Position,
  type RecordNotice,
} from "../protocol/packet.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock } from "../time/clock.ts";
import { Entrances, type Entrance } from "./entrances.ts";
import { noteOf } from "./note.ts";
import { readPosition, streamOf, type GivenPosition } from "./position.ts";
import { Records, type RoomRecord } from "./records.ts";
import type { Rule, Rules } from "./rules.ts";
import { zeroHistoryCounters, type HistoryStatistics } from "./statistics.ts";
import { Successors } from "./successors.ts";

/** Receives the gaps, and failures that have no caller to tell. */
interface HistoryReport extends ErrorReport {
  /** Called when a member is told that something may be missing. */
  gap(member: Member, room: string, reason: GapReason): void;
  /** Called for a member for which the hub itself fails. */
  fail(member: Member, error: unknown): void;
}

export interface HistoryParts {
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly delivery: Delivery<Member>;
  /** The most bytes that may wait for one member. */
  readonly maxBufferedBytes: number;
  readonly members: Members;
  readonly rates: RateLimits;
  readonly rules: Rules;
  readonly report: HistoryReport;
}

/** An event that was recorded, and its place. */
export interface Recording {
  readonly record: RoomRecord;
  readonly at: number;
  readonly encoding: Encoding;
}

/** An event of a record, as the application gets it. */
export interface RecordedEvent {
  /** The place of the event in the record. */
  readonly at: number;
  /** The time when the event was sent, in milliseconds since 1970. */
  readonly time: number;
  readonly event: string;
  readonly data: unknown;
}

/** A position that a member has given in its hello. */
interface HelloPosition {
  readonly position: GivenPosition;
  /** Whether the member has entered the room with it. */
  isUsed: boolean;
}

/** The part of a record that `hub.history` looks for. */
export interface HistoryQuery {
  /** The position behind which events are meant: one that a client has given, or that `hub.history` has returned. */
  readonly since?: unknown;
  /** Only so many of the last events. */
  readonly last?: number | undefined;
  /** The most events, the oldest first. */
  readonly limit?: number | undefined;
}

/** A part of a record. As a {@link Position} it says where the last of the events is, so that a client can join from there. */
export interface HistoryResult extends Position {
  readonly events: readonly RecordedEvent[];
  /** Whether the record still has everything behind the position that was asked for or, without one, from its beginning. */
  readonly complete: boolean;
}

/**
 * Checks a query of the application's.
 *
 * @throws {HubError} `ERR_HUB_ARGUMENT`.
 */
export function checkQuery(query: unknown): void {
  const isValid =
    isObject(query) &&
    Object.entries(query).every(([name, value]) => {
      return name === "since" || ((name === "last" || name === "limit") && (value === undefined || isCount(value)));
    });
  if (isValid) return;
  throw new HubError(
    "ERR_HUB_ARGUMENT",
    "history() takes { since, last, limit }: a position, and whole numbers of events from 1.",
  );
}

/** The records of rooms: what is sent to them, and what their members have missed. */
export class History implements RecordedRooms {
  readonly #parts: HistoryParts;
  readonly #counters = zeroHistoryCounters();
  readonly #records: Records;
  readonly #entrances: Entrances;
  readonly #successors = new Successors();
  /** The positions that members have given in their hello, by room. */
  readonly #hellos = new Map<Member, Map<string, HelloPosition>>();

  constructor(parts: HistoryParts) {
    this.#parts = parts;
    const { clock, codecs, members, rules, report } = parts;
    const isUsed = (room: string): boolean => members.rooms.get(room) !== undefined;
    this.#records = new Records({ rules, codecs: codecs.all.length, clock, isUsed });
    this.#entrances = new Entrances({
      ...parts,
      counters: this.#counters,
      report: {
        failed: (error, source) => report.failed(error, source),
        fail: (member, error) => report.fail(member, error),
        overrun: ({ member, room, record }) => {
          const present = this.#records.of(room, record.rule);
          this.#gap(member, present, record.isForgotten ? "epoch" : "overrun");
        },
        moved: ({ member, record, at }) => this.#tell(member, record, at),
      },
    });
  }

  /** Returns the counts and the present numbers. */
  get statistics(): HistoryStatistics {
    const { size: rooms, entries, byteLength: bytes } = this.#records;
    const { gaps, ...counters } = this.#counters;
    return { ...counters, gaps: { ...gaps }, rooms, entries, bytes, waiting: this.#entrances.count };
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
   * Records an event to one room.
   *
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_MESSAGE_TOO_LARGE`, and then nothing was recorded.
   */
  record(rule: Rule, audience: Audience, packet: EventPacket, overload: Overload): Recording {
    const { codecs } = this.#parts;
    const record = this.#records.of(packet.room as string, rule);
    const at = record.ring.head + 1;
    const frames = codecs.encodeRecorded(packet, at, overload, !audience.uncompressed);
    this.#records.append(record, frames, noteOf(audience), overload.key);
    this.#counters.recorded++;
    for (const { bytes } of frames) this.#counters.recordedBytes += bytes.length;
    const [frame] = frames;
    if (frame !== undefined && frames.length === 1) return { record, at, encoding: frame };
    const encoding = new Map(
      codecs.all.map((codec, index): [Codec, OutgoingFrame] => [codec, frames[index] as OutgoingFrame]),
    );
    return { record, at, encoding };
  }

  /** Returns the audience without the successors of the sockets that it leaves out. */
  audienceOf(audience: Audience): Audience {
    const exceptSockets = this.#successors.withSuccessors(audience.exceptSockets);
    return exceptSockets === audience.exceptSockets ? audience : { ...audience, exceptSockets };
  }

  /** Tells the members of a room their position whose codec does not put it into the events. */
  tellPosition({ record, at }: Recording): void {
    if (this.#parts.codecs.areStamped) return;
    for (const member of this.#parts.members.rooms.get(record.room) ?? []) {
      if (member.codec.stamp === undefined) this.#tell(member, record, at);
    }
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
    return this.#entrances.countOf(member);
  }

  enter(member: Member, room: string, since: unknown, entered?: Entered): void {
    const underWay = this.#entrances.get(member, room);
    if (underWay !== undefined) {
      if (entered !== undefined) underWay.entered.push(entered);
      return;
    }
    const { members, rules } = this.#parts;
    if (!member.isReachable) {
      // Its client hears nothing any more, and will ask for everything on its next connection.
      if (member.open) members.rooms.join(member, room);
      entered?.(true);
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
      entered?.(true);
      return;
    }
    // A client that was taken out may ask with its position before it knows; what was on its way then would come twice.
    const isOfNow = given?.epoch === record.epoch && given.sockets[0] === member.id;
    const entrance = this.#entranceOf(member, record, isOfNow ? undefined : given);
    // What it was told may have been too much for it.
    if (!member.isReachable) {
      entered?.(true);
      return;
    }
    if (entered !== undefined) entrance.entered.push(entered);
    this.#entrances.add(entrance);
  }

  leave(member: Member, room: string, isTold: boolean): void {
    const { members } = this.#parts;
    this.#hellos.get(member)?.delete(room);
    const entrance = this.#entrances.get(member, room);
    if (entrance !== undefined) this.#entrances.remove(entrance);
    else if (members.rooms.get(room)?.has(member) === true) members.rooms.leave(member, room);
    else return;
    const data: Left = { room };
    if (isTold) this.#send(member, { event: ControlEvent.left, data });
    for (const call of entrance?.entered ?? []) call(false);
  }

  /** Goes on with a member that has read what it was sent. */
  drained(member: Member): void {
    this.#entrances.drained(member);
  }

  ended(member: Member): void {
    this.#hellos.delete(member);
    this.#successors.delete(member);
    this.#entrances.end(member);
  }

  /** Forgets the record of a room. Its members are told that their positions mean nothing any more. */
  forget(room: string, rule: Rule): void {
    if (!this.#records.forget(room)) return;
    for (const member of this.#parts.members.rooms.get(room) ?? []) {
      this.#gap(member, this.#records.of(room, rule), "epoch");
    }
  }

  /** Reads the record of a room. */
  read(room: string, rule: Rule, { since, last, limit }: HistoryQuery): HistoryResult {
    const { plain } = this.#parts.codecs;
    const { epoch, ring } = this.#records.of(room, rule);
    const given = readPosition(since);
    const isKnown = given?.epoch === epoch && given.at <= ring.head;
    const after = isKnown ? given.at : 0;
    const complete = (given === undefined || isKnown) && after >= ring.floor;
    const start = Math.max(after, last === undefined ? 0 : ring.before(last));
    const entries = ring.read(start, this.#parts.codecs.all.indexOf(plain), Number.POSITIVE_INFINITY).slice(0, limit);
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
    this.#entrances.stop();
    this.#records.stop();
  }

  /** Tells a member where its position in a room begins, and returns its way into the room from there. */
  #entranceOf(member: Member, record: RoomRecord, given: GivenPosition | undefined): Entrance {
    const { ring, room, rule } = record;
    const isKnown = given?.epoch === record.epoch && given.at <= ring.head;
    const isRecovery = isKnown && given.at >= ring.floor;
    const isOfLatest = !isRecovery && rule.replay === "latest";
    const first = typeof rule.replay === "number" && rule.replay > 0 ? ring.before(rule.replay) : ring.head;
    const entrance: Entrance = {
      member,
      room,
      record,
      sockets: [member.id, ...this.#successors.earlierOf(member)],
      at: isRecovery ? given.at : isOfLatest ? ring.floor : first,
      newestUntil: isOfLatest ? ring.head : 0,
      entered: [],
    };
    this.#entrances.skip(entrance);
    if (isRecovery) this.#counters.recoveries++;
    if (isRecovery || given === undefined) this.#tell(member, record, entrance.at);
    else this.#gap(member, record, isKnown ? "trimmed" : "epoch", entrance.at);
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
    if (given.epoch !== record.epoch) this.#gap(member, record, "epoch");
    else if (given.at < record.ring.head) this.#gap(member, record, "overrun");
  }

  #gap(member: Member, record: RoomRecord, gap: GapReason, at: number = record.ring.head): void {
    this.#counters.gaps[gap]++;
    this.#tell(member, record, at, gap);
    this.#parts.report.gap(member, record.room, gap);
  }

  #tell(member: Member, { room, epoch }: RoomRecord, at: number, gap?: GapReason): void {
    const stream = streamOf(epoch, member.id, ...this.#successors.earlierOf(member));
    const data: RecordNotice = { room, stream, at, gap };
    this.#send(member, { event: ControlEvent.record, data });
  }

  #send(member: Member, packet: EventPacket): void {
    const { codecs, delivery, report } = this.#parts;
    let frame: OutgoingFrame;
    try {
      frame = codecs.encode(packet, member.codec);
    } catch (error) {
      report.failed(error, "codec", { event: packet.event, socket: member.socket });
      return;
    }
    guarded({ error: (error) => report.fail(member, error) }, () => delivery.send(member, frame));
  }
}
