import type { Answers } from "./answers.ts";
import type { HubSide } from "./contract/hub-side.ts";
import type { Core } from "./core.ts";
import { ReplyError } from "./errors.ts";
import { isThenable } from "./listeners.ts";
import type { AnyHandler, Member } from "./member.ts";
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
} from "./protocol/packet.ts";

/** What inbound packets need of the hub. */
export interface InboundOptions {
  readonly core: Core;
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
  /** A handler, or the encoding of its reply, failed. */
  readonly failed: (error: unknown, member: Member, event: string) => void;
}

/** What clients send: from a message to a packet, to a handler, to a reply. */
export class Inbound {
  readonly #options: InboundOptions;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  receive(member: Member, data: string | Uint8Array): void {
    let packet: Packet | undefined;
    try {
      const decoded = member.codec.decode(data);
      packet = decoded === undefined ? undefined : parsePacket(decoded);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#refuse(member, undefined, { code: WireErrorCode.badPacket, message });
      return;
    }
    if (packet === undefined) {
      if (!this.#options.message(member, data)) this.#refuse(member, undefined, UNEXPECTED_MESSAGE);
    } else if (isReply(packet)) this.#options.core.requests.replied(member, packet);
    else this.#dispatch(member, packet);
  }

  #dispatch(member: Member, packet: EventPacket): void {
    const { event } = packet;
    const handler = member.handlers?.get(event) ?? this.#options.handlers.get(event);
    if (handler === undefined) {
      this.#refuse(member, packet, event.startsWith(RESERVED_PREFIX) ? reserved(event) : unknown(event));
      return;
    }
    const accepted = this.#accept(member, packet);
    if (accepted === undefined || (isKeyed(packet) && !this.#isNew(member, packet))) return;
    try {
      const result = handler(accepted.data, member.socket);
      if (isThenable(result)) {
        result.then(
          (value) => this.#reply(member, packet, value),
          (error: unknown) => this.#fail(member, packet, error),
        );
      } else {
        this.#reply(member, packet, result);
      }
    } catch (error) {
      this.#fail(member, packet, error);
    }
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
      this.#refuse(member, packet, unknown(event));
      return undefined;
    }
    if (acceptance.error !== undefined) failed(acceptance.error, member, event);
    this.#refuse(member, packet, { code: WireErrorCode.invalidData, message: acceptance.message });
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

  #fail(member: Member, packet: EventPacket, error: unknown): void {
    if (error instanceof ReplyError) {
      this.#refuse(member, packet, { code: error.reason, message: error.message });
    } else {
      this.#options.failed(error, member, packet.event);
      this.#refuse(member, packet, HANDLER_FAILED);
    }
  }

  /** As the reply to the request, or as `hub:error` where there was none. */
  #refuse(member: Member, packet: EventPacket | undefined, error: WireError): void {
    try {
      if (packet?.id === undefined) this.#options.core.tell(member, { event: ControlEvent.error, data: error });
      else this.#answer(member, packet, { reply: packet.id, error });
    } catch (failure) {
      this.#options.failed(failure, member, ControlEvent.error);
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

const HANDLER_FAILED: WireError = { code: WireErrorCode.handlerFailed, message: "The server failed to handle this." };

function reserved(event: string): WireError {
  return { code: WireErrorCode.reservedEvent, message: `"${event}" is not an event that a client may send.` };
}

function unknown(event: string): WireError {
  return { code: WireErrorCode.unknownEvent, message: `The server handles no event "${event}".` };
}
