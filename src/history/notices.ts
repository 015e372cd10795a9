import type { Codecs } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import { guarded } from "../guard.ts";
import type { Member } from "../members/member.ts";
import { ControlEvent, type EventPacket, type GapReason, type Left, type RecordNotice } from "../protocol/packet.ts";
import type { ErrorReport } from "../report.ts";
import { streamOf } from "./position.ts";
import type { RoomRecord } from "./records.ts";
import type { HistoryCounters } from "./statistics.ts";
import type { Successors } from "./successors.ts";

/** Receives the gaps, and failures that have no caller to tell. */
export interface HistoryReport extends ErrorReport {
  /** Called when a member is told that something may be missing. */
  gap(member: Member, room: string, reason: GapReason): void;
  /** Called for a member for which the hub itself fails. */
  fail(member: Member, error: unknown): void;
}

export interface NoticesParts {
  readonly codecs: Codecs;
  readonly counters: HistoryCounters;
  readonly delivery: Delivery<Member>;
  readonly successors: Successors;
  readonly report: HistoryReport;
}

/** What members are told of their positions in records. */
export class Notices {
  readonly #parts: NoticesParts;

  constructor(parts: NoticesParts) {
    this.#parts = parts;
  }

  /** Tells a member that its position in a room is here. */
  position(member: Member, { room, epoch }: RoomRecord, at: number, gap?: GapReason): void {
    const stream = streamOf(epoch, member.id, ...this.#parts.successors.earlierOf(member));
    const data: RecordNotice = { room, stream, at, gap };
    this.#send(member, { event: ControlEvent.record, data });
  }

  /**
   * Tells a member that something may be missing before a position.
   *
   * @param at - default: the end of the record.
   */
  gap(member: Member, record: RoomRecord, gap: GapReason, at: number = record.ring.head): void {
    this.#parts.counters.gaps[gap]++;
    this.position(member, record, at, gap);
    this.#parts.report.gap(member, record.room, gap);
  }

  /** Tells a member that the server has taken it out of a room. */
  left(member: Member, room: string): void {
    const data: Left = { room };
    this.#send(member, { event: ControlEvent.left, data });
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
