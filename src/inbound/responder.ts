import type { Counters } from "../counters.ts";
import type { Codecs } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import type { MemberLifecycle } from "../members/lifecycle.ts";
import type { LocalNode } from "../members/local-node.ts";
import type { Member } from "../members/member.ts";
import { CloseCode, type Close } from "../protocol/close-codes.ts";
import {
  ControlEvent,
  isKeyed,
  type EventPacket,
  type RefusedRoom,
  type ReplyPacket,
  type WireError,
} from "../protocol/packet.ts";
import type { ErrorReport } from "../report.ts";
import type { Idempotency } from "./idempotency.ts";

export interface ResponderParts {
  readonly codecs: Codecs;
  readonly counters: Counters;
  readonly delivery: Delivery<Member>;
  readonly lifecycle: MemberLifecycle;
  readonly local: LocalNode;
  readonly rates: RateLimits;
  /** Requests that clients may repeat; absent if they are handled each time. */
  readonly idempotency: Idempotency<Member> | undefined;
  readonly report: ErrorReport;
}

/** Sends replies and errors to clients, and closes clients that do harm. */
export class Responder {
  readonly #parts: ResponderParts;

  constructor(parts: ResponderParts) {
    this.#parts = parts;
  }

  /** Refuses something that is the client's own fault. A client that goes on with that is closed. */
  blame(member: Member, packet: EventPacket | undefined, error: WireError): void {
    this.#parts.counters.violations++;
    this.refuse(member, packet, error);
    this.charge(member, 1);
  }

  /** Charges a violation of this cost. A client that has used up its violations is closed. */
  charge(member: Member, cost: number): void {
    if (member.open && !this.#parts.rates.violated(member, cost)) this.expel(member, ABUSE);
  }

  /** Sends an error as the reply to a request, or as `hub:error` where there is no request. */
  refuse(member: Member, packet: EventPacket | undefined, error: WireError): void {
    const { codecs, local, report } = this.#parts;
    const failed = (failure: unknown): void => {
      report.failed(failure, "handler", { event: ControlEvent.error, socket: member.socket });
    };
    const told = codecs.encodable(error, member.codec, failed);
    try {
      if (packet?.id === undefined) local.tell(member, { event: ControlEvent.error, data: told });
      else this.answer(member, packet, { reply: packet.id, error: told });
    } catch (failure) {
      // No client can be told. The request was handled nevertheless.
      if (packet !== undefined) this.#parts.idempotency?.settle(member, packet, undefined);
      failed(failure);
    }
  }

  /** Answers a request for rooms of which some were refused. One message makes one report. */
  refuseRooms(member: Member, packet: EventPacket, reply: number, refused: readonly RefusedRoom[]): void {
    const { codecs, report } = this.#parts;
    const failures: unknown[] = [];
    const told = refused.map((error) => codecs.encodable(error, member.codec, (failure) => failures.push(failure)));
    if (failures.length > 0) report.failed(failures[0], "handler", { event: packet.event, socket: member.socket });
    this.answer(member, packet, { reply, data: { refused: told } });
  }

  /** Sends the reply to a request, to all members that have asked it. */
  answer(member: Member, packet: EventPacket, reply: ReplyPacket): void {
    const { codecs, delivery, idempotency, lifecycle } = this.#parts;
    // A client that is gone may reconnect and ask for the reply to a request with a key.
    if (!member.open && !isKeyed(packet)) return;
    const frame = codecs.encode(reply, member.codec);
    const askers = isKeyed(packet) ? idempotency?.settle(member, packet, frame) : undefined;
    for (const asker of askers ?? [member]) {
      try {
        delivery.reply(asker, frame);
      } catch (error) {
        lifecycle.fail(asker, error);
      }
    }
  }

  /** Closes a member that does harm: nothing more is read from it, and its owner may not reconnect for ever. */
  expel(member: Member, close: Close): void {
    const { lifecycle, rates } = this.#parts;
    rates.abused(member);
    lifecycle.expelAbusive(member, close);
  }
}

const ABUSE: Close = { code: CloseCode.abuse, reason: "Too much that is wrong" };
