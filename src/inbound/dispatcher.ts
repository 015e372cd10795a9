import type { Buffer } from "node:buffer";
import { isThenable } from "../checks/is-thenable.ts";
import type { HubSide } from "../contract/hub-side.ts";
import type { Counters } from "../counters.ts";
import type { Codecs } from "../delivery/codecs.ts";
import type { Delivery } from "../delivery/delivery.ts";
import { ownedMessage } from "../delivery/incoming-message.ts";
import { isInstance, messageOf, ReplyError, RoomLimitError } from "../errors.ts";
import type { Limits } from "../limits/limits.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import type { MemberLifecycle } from "../members/lifecycle.ts";
import type { LocalNode } from "../members/local-node.ts";
import type { Member } from "../members/member.ts";
import type { Requests } from "../members/requests.ts";
import { CloseCode, type Close } from "../protocol/close-codes.ts";
import {
  ControlEvent,
  isReply,
  parsePacket,
  RESERVED_PREFIX,
  WireErrorCode,
  type EventPacket,
  type Packet,
  type ReplyPacket,
  type WireError,
} from "../protocol/packet.ts";
import type { ErrorReport } from "../report.ts";
import type { Handlers } from "./handlers.ts";
import type { Idempotency } from "./idempotency.ts";
import type { CallTrace, MiddlewareChain } from "./middleware.ts";

/** Whom the dispatcher tells what is not its own. */
export interface DispatcherReport extends ErrorReport {
  /** Hands a message that is no packet to the application. Returns `false` if the application takes none. */
  message(member: Member, data: string | Uint8Array): boolean;
}

export interface DispatcherParts {
  readonly codecs: Codecs;
  readonly counters: Counters;
  readonly delivery: Delivery<Member>;
  readonly lifecycle: MemberLifecycle;
  readonly limits: Limits;
  readonly local: LocalNode;
  readonly requests: Requests<Member>;
  readonly rates: RateLimits;
  readonly middleware: MiddlewareChain<unknown>;
  readonly handlers: Handlers;
  /** The contract, of which clients may send the events; without a contract, any event. */
  readonly contract: HubSide<never> | undefined;
  /** Whether the replies of handlers are checked, too. */
  readonly validateOutgoing: boolean;
  /** Requests that clients may repeat; absent if they are handled each time. */
  readonly idempotency: Idempotency<Member> | undefined;
  readonly report: DispatcherReport;
}

/** Takes what clients send from a message to a packet, to a handler, to a reply. */
export class Dispatcher {
  readonly #parts: DispatcherParts;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** Handles a message of a member. */
  receive(member: Member, data: Buffer, isBinary: boolean): void {
    const byteLength = data.length;
    const { counters, lifecycle, rates } = this.#parts;
    counters.messagesIn++;
    counters.bytesIn += byteLength;
    const verdict = rates.received(member, byteLength);
    if (verdict === "abuse") {
      lifecycle.close(member, FLOOD);
      return;
    }
    if (verdict === "warn") this.#refuse(member, undefined, TOO_FAST);
    this.#read(member, data, isBinary);
  }

  #read(member: Member, data: Buffer, isBinary: boolean): void {
    const message = ownedMessage(data, isBinary);
    let packet: Packet | undefined;
    try {
      this.#parts.codecs.weigh(member.codec, data, isBinary);
      const decoded = member.codec.decode(message);
      packet = decoded === undefined ? undefined : parsePacket(decoded);
    } catch (error) {
      this.#blame(member, undefined, { code: WireErrorCode.badPacket, message: messageOf(error) });
      return;
    }
    if (packet === undefined) {
      if (!this.#parts.report.message(member, message)) this.#blame(member, undefined, UNEXPECTED_MESSAGE);
    } else if (isReply(packet)) this.#parts.requests.replied(member, packet);
    else this.#dispatch(member, packet);
  }

  #dispatch(member: Member, packet: EventPacket): void {
    const { event } = packet;
    const handler = member.handlers?.get(event) ?? this.#parts.handlers.get(event);
    if (handler === undefined) {
      this.#blame(member, packet, event.startsWith(RESERVED_PREFIX) ? reserved(event) : unknown(event));
      return;
    }
    if (member.handling >= this.#parts.limits.pendingRequests) {
      this.#blame(member, packet, TOO_MANY_REQUESTS);
      return;
    }
    const accepted = this.#accept(member, packet);
    if (accepted === undefined || (isKeyed(packet) && !this.#isNew(member, packet))) return;
    const { middleware } = this.#parts;
    const isBare = middleware.isEmpty || event.startsWith(RESERVED_PREFIX);
    const trace: CallTrace | undefined = isBare ? undefined : { ended: false };
    try {
      const { data } = accepted;
      const { socket } = member;
      const result =
        trace === undefined
          ? handler(data, socket)
          : middleware.run({ event, data, socket, isRequest: packet.id !== undefined }, handler, trace, (error) =>
              this.#report(member, event, error, trace),
            );
      if (isThenable(result)) {
        void this.#await(member, packet, result, trace);
        return;
      }
      this.#reply(member, packet, result);
    } catch (error) {
      this.#fail(member, packet, error, trace);
    }
    if (trace !== undefined) trace.ended = true;
  }

  async #await(
    member: Member,
    packet: EventPacket,
    result: PromiseLike<unknown>,
    trace: CallTrace | undefined,
  ): Promise<void> {
    member.handling++;
    try {
      this.#reply(member, packet, await result);
    } catch (error) {
      this.#fail(member, packet, error, trace);
    }
    if (trace !== undefined) trace.ended = true;
    member.handling--;
    this.#parts.lifecycle.rested(member);
  }

  /** Returns the data as the contract makes it; `undefined`, and the client was told why, for data that does not fit. */
  #accept(member: Member, packet: EventPacket): { readonly data: unknown } | undefined {
    const { contract, report } = this.#parts;
    const { event, data } = packet;
    // Packets of the protocol itself are checked by their handlers.
    if (contract === undefined || event.startsWith(RESERVED_PREFIX)) return { data };
    const acceptance = contract.accept(event, data);
    if (acceptance.ok) return acceptance;
    if ("unknown" in acceptance) {
      this.#blame(member, packet, unknown(event));
      return undefined;
    }
    if (acceptance.error !== undefined) report.failed(acceptance.error, "handler", { event, socket: member.socket });
    this.#blame(member, packet, { code: WireErrorCode.invalidData, message: acceptance.message });
    return undefined;
  }

  /** Whether a request with a key has to be handled. A repeated request gets its reply here, or as soon as there is one. */
  #isNew(member: Member, packet: EventPacket): boolean {
    const { idempotency, local } = this.#parts;
    if (idempotency === undefined) return true;
    const { isNew, reply } = idempotency.receive(member, packet);
    if (reply !== undefined) local.send(member, reply);
    return isNew;
  }

  /** Answers a request. The result of a handler of an event that asks for no reply is not used. */
  #reply(member: Member, packet: EventPacket, data: unknown): void {
    if (packet.id === undefined) return;
    const { contract, validateOutgoing } = this.#parts;
    try {
      if (validateOutgoing && !packet.event.startsWith(RESERVED_PREFIX)) contract?.checkReply(packet.event, data);
      this.#answer(member, packet, { reply: packet.id, data });
    } catch (error) {
      this.#fail(member, packet, error);
    }
  }

  #fail(member: Member, packet: EventPacket, error: unknown, trace?: CallTrace): void {
    if (isInstance(error, ReplyError)) {
      this.#refuse(member, packet, { code: error.reason, message: messageOf(error) });
    } else if (isInstance(error, RoomLimitError)) {
      this.#refuse(member, packet, TOO_MANY_ROOMS);
    } else {
      this.#report(member, packet.event, error, trace);
      this.#refuse(member, packet, HANDLER_FAILED);
    }
  }

  #report(member: Member, event: string, error: unknown, trace: CallTrace | undefined): void {
    const { counters, report } = this.#parts;
    const failure = trace?.handlerFailure;
    const isMiddleware = trace !== undefined && (failure === undefined || !Object.is(failure.error, error));
    const isRoom = event === ControlEvent.join || event === ControlEvent.leave;
    counters.handlerErrors++;
    report.failed(error, isMiddleware ? "middleware" : isRoom ? "joinable" : "handler", {
      event,
      socket: member.socket,
    });
  }

  /** Refuses something that is the client's own fault. A client that goes on with that is closed. */
  #blame(member: Member, packet: EventPacket | undefined, error: WireError): void {
    const { counters, lifecycle, rates } = this.#parts;
    counters.violations++;
    this.#refuse(member, packet, error);
    if (!rates.violated(member)) lifecycle.close(member, ABUSE);
  }

  /** Sends an error as the reply to a request, or as `hub:error` where there is no request. */
  #refuse(member: Member, packet: EventPacket | undefined, error: WireError): void {
    try {
      if (packet?.id === undefined) this.#parts.local.tell(member, { event: ControlEvent.error, data: error });
      else this.#answer(member, packet, { reply: packet.id, error });
    } catch (failure) {
      this.#parts.report.failed(failure, "handler", { event: ControlEvent.error, socket: member.socket });
    }
  }

  #answer(member: Member, packet: EventPacket, reply: ReplyPacket): void {
    const { codecs, delivery, idempotency } = this.#parts;
    // A client that is gone may reconnect and ask for the reply to a request with a key.
    if (!member.open && !isKeyed(packet)) return;
    const frame = codecs.encode(reply, member.codec);
    const askers = isKeyed(packet) ? idempotency?.settle(member, packet, frame) : undefined;
    for (const asker of askers ?? [member]) delivery.send(asker, frame);
  }
}

function isKeyed({ id, key }: EventPacket): boolean {
  return id !== undefined && key !== undefined;
}

const FLOOD: Close = { code: CloseCode.abuse, reason: "Too much, too fast" };
const ABUSE: Close = { code: CloseCode.abuse, reason: "Too much that is wrong" };

const UNEXPECTED_MESSAGE: WireError = {
  code: WireErrorCode.unexpectedMessage,
  message: "This server takes no messages other than packets.",
};

const TOO_FAST: WireError = {
  code: WireErrorCode.tooFast,
  message: "You send more than this server takes. If you go on, it will close the connection.",
};

const TOO_MANY_REQUESTS: WireError = {
  code: WireErrorCode.tooManyRequests,
  message: "Too many of your messages are being handled. Wait for replies.",
};

const TOO_MANY_ROOMS: WireError = { code: WireErrorCode.tooManyRooms, message: "This would be a room too many." };

const HANDLER_FAILED: WireError = { code: WireErrorCode.handlerFailed, message: "The server failed to handle this." };

function reserved(event: string): WireError {
  return { code: WireErrorCode.reservedEvent, message: `"${event}" is not an event that a client may send.` };
}

function unknown(event: string): WireError {
  return { code: WireErrorCode.unknownEvent, message: `The server handles no event "${event}".` };
}
