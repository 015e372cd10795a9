import { Buffer } from "node:buffer";
import type { Answers } from "./idempotency.ts";
import type { HubSide } from "../contract/hub-side.ts";
import type { Core } from "../members/lifecycle.ts";
import { isInstance, messageOf, ReplyError, RoomLimitError } from "../errors.ts";
import { isThenable } from "../hub/listeners.ts";
import type { AnyHandler, Member } from "../members/member.ts";
import type { CallTrace, MiddlewareChain } from "./middleware.ts";
import { CloseCode } from "../protocol/close-codes.ts";
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
import type { RateLimits } from "../limits/rate-limits.ts";

/** What inbound packets need of the hub. */
export interface InboundOptions {
  readonly core: Core;
  readonly rates: RateLimits;
  /** Of `hub.use`. */
  readonly middleware: MiddlewareChain<unknown>;
  /** Of `hub.handle`. */
  readonly handlers: ReadonlyMap<string, AnyHandler<unknown>>;
  /** Takes a message that is none of the codec's; `false` if the application takes none. */
  readonly message: (member: Member, data: string | Uint8Array) => boolean;
  /** What clients may send; without it anything. */
  readonly contract: HubSide<never> | undefined;
  /** Whether the replies of handlers are checked, too. */
  readonly validateOutgoing: boolean;
  /** Of requests that clients may repeat; without it they are handled each time. */
  readonly answers: Answers | undefined;
  /** A handler, what runs around it, or the encoding of its reply, failed. */
  readonly failed: (error: unknown, member: Member, event: string, isMiddleware: boolean) => void;
}

/** What clients send: from a message to a packet, to a handler, to a reply. */
export class Inbound {
  readonly #options: InboundOptions;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  receive(member: Member, data: string | Uint8Array): void {
    const byteLength = typeof data === "string" ? Buffer.byteLength(data) : data.length;
    const { core, rates } = this.#options;
    core.counters.messagesIn++;
    core.counters.bytesIn += byteLength;
    const verdict = rates.received(member, byteLength);
    if (verdict === "abuse") {
      core.closeMember(member, CloseCode.abuse, "Too much, too fast");
      return;
    }
    if (verdict === "warn") this.#refuse(member, undefined, TOO_FAST);
    this.#read(member, data);
  }

  #read(member: Member, data: string | Uint8Array): void {
    let packet: Packet | undefined;
    try {
      const decoded = member.codec.decode(data);
      packet = decoded === undefined ? undefined : parsePacket(decoded);
    } catch (error) {
      this.#blame(member, undefined, { code: WireErrorCode.badPacket, message: messageOf(error) });
      return;
    }
    if (packet === undefined) {
      if (!this.#options.message(member, data)) this.#blame(member, undefined, UNEXPECTED_MESSAGE);
    } else if (isReply(packet)) this.#options.core.requests.replied(member, packet);
    else this.#dispatch(member, packet);
  }

  #dispatch(member: Member, packet: EventPacket): void {
    const { event } = packet;
    const handler = member.handlers?.get(event) ?? this.#options.handlers.get(event);
    if (handler === undefined) {
      this.#blame(member, packet, event.startsWith(RESERVED_PREFIX) ? reserved(event) : unknown(event));
      return;
    }
    if (member.handling >= this.#options.core.limits.pendingRequests) {
      this.#blame(member, packet, TOO_MANY_REQUESTS);
      return;
    }
    const accepted = this.#accept(member, packet);
    if (accepted === undefined || (isKeyed(packet) && !this.#isNew(member, packet))) return;
    const { middleware } = this.#options;
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
    this.#options.core.rested(member);
  }

  /** The data as the contract has it. `undefined`, and the client was told why, for what does not fit. */
  #accept(member: Member, packet: EventPacket): { readonly data: unknown } | undefined {
    const { contract, failed } = this.#options;
    const { event, data } = packet;
    // Packets of the protocol itself are checked by their handlers.
    if (contract === undefined || event.startsWith(RESERVED_PREFIX)) return { data };
    const acceptance = contract.accept(event, data);
    if (acceptance.ok) return acceptance;
    if ("unknown" in acceptance) {
      this.#blame(member, packet, unknown(event));
      return undefined;
    }
    if (acceptance.error !== undefined) failed(acceptance.error, member, event, false);
    this.#blame(member, packet, { code: WireErrorCode.invalidData, message: acceptance.message });
    return undefined;
  }

  /** Whether a request with a key has to be handled. One that came before gets its reply here, or when there is one. */
  #isNew(member: Member, packet: EventPacket): boolean {
    const { answers, core } = this.#options;
    if (answers === undefined) return true;
    const { isNew, reply } = answers.receive(member, packet);
    if (reply !== undefined) core.delivery.send(member, core.codecs.frame(reply));
    return isNew;
  }

  /** Answers a request; of an event that asks for no reply, the handler's result is not used. */
  #reply(member: Member, packet: EventPacket, data: unknown): void {
    if (packet.id === undefined) return;
    const { contract, validateOutgoing } = this.#options;
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
    const { core, failed } = this.#options;
    const failure = trace?.handlerFailure;
    const isMiddleware = trace !== undefined && (failure === undefined || !Object.is(failure.error, error));
    core.counters.handlerErrors++;
    failed(error, member, event, isMiddleware);
  }

  /** Refuses what is the client's own fault, which it may not do for ever. */
  #blame(member: Member, packet: EventPacket | undefined, error: WireError): void {
    const { core, rates } = this.#options;
    core.counters.violations++;
    this.#refuse(member, packet, error);
    if (!rates.violated(member)) core.closeMember(member, CloseCode.abuse, "Too much that is wrong");
  }

  /** As the reply to the request, or as `hub:error` where there was none. */
  #refuse(member: Member, packet: EventPacket | undefined, error: WireError): void {
    try {
      if (packet?.id === undefined) this.#options.core.tell(member, { event: ControlEvent.error, data: error });
      else this.#answer(member, packet, { reply: packet.id, error });
    } catch (failure) {
      this.#options.failed(failure, member, ControlEvent.error, false);
    }
  }

  #answer(member: Member, packet: EventPacket, reply: ReplyPacket): void {
    const { answers, core } = this.#options;
    // A client that is gone may still come back for the reply to a request with a key.
    if (!member.open && !isKeyed(packet)) return;
    const frame = core.codecs.encode(reply, member.codec);
    const askers = isKeyed(packet) ? answers?.settle(member, packet, frame) : undefined;
    for (const asker of askers ?? [member]) core.delivery.send(asker, frame);
  }
}

function isKeyed({ id, key }: EventPacket): boolean {
  return id !== undefined && key !== undefined;
}

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
