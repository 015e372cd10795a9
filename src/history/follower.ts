import { Buffer } from "node:buffer";
import type { Codecs, Encoding } from "../delivery/codecs.ts";
import { EVERYBODY, type Audience } from "../members/audience.ts";
import type { Member } from "../members/member.ts";
import type { Members } from "../members/members.ts";
import type { LogGap, LoggedEvent, Novelty, RoomFeedListener, RoomTail } from "../members/room-feed.ts";
import type { Clock } from "../time/clock.ts";
import type { GapReason } from "../protocol/packet.ts";
import type { Departures } from "./departures.ts";
import { HOLE, noteOf } from "./note.ts";
import type { Notices } from "./notices.ts";
import type { Records, RoomRecord } from "./records.ts";
import type { HistoryCounters } from "./statistics.ts";

export interface FollowerParts {
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly counters: HistoryCounters;
  readonly departures: Departures;
  readonly members: Members;
  readonly notices: Notices;
  readonly records: Records;
  /** Sends an event of a record to its members, and to others that have left since it was sent. */
  readonly deliver: (record: RoomRecord, at: number, audience: Audience, encoding: Encoding) => void;
}

/** Keeps the records of this node like the logs of the engine, and sends their members what is new. */
export class Follower implements RoomFeedListener {
  readonly #parts: FollowerParts;
  /** The frames of a hole. */
  readonly #nothing: readonly { readonly bytes: Buffer }[];

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#nothing = parts.codecs.all.map(() => ({ bytes: Buffer.alloc(0) }));
  }

  begun(room: string, tail: RoomTail | undefined, gap?: LogGap): void {
    const { departures, notices, records } = this.#parts;
    for (const event of tail?.events ?? []) departures.heard(room, event);
    const old = records.get(room);
    if (old === undefined) return;
    const members = this.#audienceOf(room);
    const record = tail === undefined && !old.isKnown ? old : records.replace(old, tail);
    if (tail !== undefined) {
      for (const event of tail.events) this.#append(record, event, false);
      record.ring.skip(tail.head);
    }
    // They were let in although nobody knew what the room had.
    const isLate = !old.isKnown;
    record.isKnown = true;
    if (!isLate && gap === undefined) {
      // R13: the record goes on in the log of the room, which has begun now.
      record.formerEpoch = old.epoch;
      record.witnesses = old.witnesses;
      for (const member of members) notices.position(member, record, record.ring.head);
      return;
    }
    // R12: what they were told before is not for them, should it be appended again.
    record.witnesses = new Set(members.map((member) => member.id));
    this.#tellGap(members, record, isLate ? "unavailable" : (gap as GapReason));
  }

  recorded(room: string, event: LoggedEvent, novelty: Novelty): void {
    const { departures, records } = this.#parts;
    const record = records.get(room);
    if (record === undefined) return;
    if (novelty === "again") record.ring.skip(event.at);
    else this.#tell(record, event, novelty === "before");
    departures.heard(room, event);
  }

  lost(room: string): void {
    const { departures, records } = this.#parts;
    departures.end(room);
    const record = records.get(room);
    if (record?.isKnown !== true) return;
    record.isKnown = false;
    this.#tellGap(this.#audienceOf(room), record, "unavailable");
  }

  #tell(record: RoomRecord, event: LoggedEvent, isOfBefore: boolean): void {
    const { codecs, deliver } = this.#parts;
    const { room, witnesses } = record;
    const { at, exceptRooms, frames, uncompressed, overload } = event;
    this.#append(record, event, isOfBefore);
    if (frames === undefined) {
      this.#tellGap(this.#audienceOf(room), record, "hole");
      return;
    }
    const exceptSockets = isOfBefore ? [...event.exceptSockets, ...witnesses] : event.exceptSockets;
    const audience = {
      ...EVERYBODY,
      everybody: false,
      rooms: [room],
      exceptRooms,
      exceptSockets,
      uncompressed,
      overload,
    };
    deliver(record, at, audience, codecs.encodingOf(frames));
  }

  #append(record: RoomRecord, event: LoggedEvent, isOfBefore: boolean): void {
    const { clock, counters, records } = this.#parts;
    const { at, time, frames, overload, origin, number } = event;
    record.note({ at, origin, number, time: clock.now() });
    const note = frames === undefined ? HOLE : noteOf({ ...event, isOfBefore });
    records.append(record, { at, time, frames: frames ?? this.#nothing, note, key: overload?.key });
    if (frames === undefined) return;
    counters.recorded++;
    for (const { bytes } of frames) counters.recordedBytes += bytes.length;
  }

  #tellGap(members: readonly Member[], record: RoomRecord, reason: GapReason): void {
    for (const member of members) this.#parts.notices.gap(member, record, reason);
  }

  /** Returns the members of a room, and those that have left it and still hear it. */
  #audienceOf(room: string): readonly Member[] {
    const { departures, members } = this.#parts;
    const left = departures.of(room).map(({ member }) => member);
    return [...(members.rooms.get(room) ?? []), ...left];
  }
}
