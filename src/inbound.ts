import type { Core } from "./core.ts";
import { ReplyError } from "./errors.ts";
import { isThenable } from "./listeners.ts";
import type { AnyHandler, Member } from "./member.ts";
import type { Codec } from "./protocol/codec.ts";
import {
  ControlEvent,
  isReply,
  parsePacket,
  RESERVED_PREFIX,
  WireErrorCode,
  type EventPacket,
  type Packet,
  type WireError,
} from "./protocol/packet.ts";

/** What inbound packets need of the hub. */
export interface InboundOptions {
  readonly core: Core;
  readonly codec: Codec;
  /** Of `hub.handle`. */
  readonly handlers: ReadonlyMap<string, AnyHandler<unknown>>;
  /** Takes a message that is none of the codec's; `false` if the application takes none. */
  readonly message: (member: Member, data: string | Uint8Array) => boolean;
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
      const decoded = this.#options.codec.decode(data);
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

  #dispatch(member: Member, { event, data, id }: EventPacket): void {
    const handler = member.handlers?.get(event) ?? this.#options.handlers.get(event);
    if (handler === undefined) {
      this.#refuse(member, id, event.startsWith(RESERVED_PREFIX) ? reserved(event) : unknown(event));
      return;
    }
    try {
      const result = handler(data, member.socket);
      if (isThenable(result)) {
        result.then(
          (value) => this.#reply(member, event, id, value),
          (error: unknown) => this.#fail(member, event, id, error),
        );
      } else {
        this.#reply(member, event, id, result);
      }
    } catch (error) {
      this.#fail(member, event, id, error);
    }
  }

  /** Answers a request; of an event that asks for no reply, the handler's result is not used. */
  #reply(member: Member, event: string, id: number | undefined, data: unknown): void {
    if (id === undefined || !member.open) return;
    const { core } = this.#options;
    try {
      core.delivery.send(member, core.encode({ reply: id, data }));
    } catch (error) {
      this.#fail(member, event, id, error);
    }
  }

  #fail(member: Member, event: string, id: number | undefined, error: unknown): void {
    if (error instanceof ReplyError) {
      this.#refuse(member, id, { code: error.reason, message: error.message });
    } else {
      this.#options.failed(error, member, event);
      this.#refuse(member, id, HANDLER_FAILED);
    }
  }

  /** As the reply to the request, or as `hub:error` where there was none. */
  #refuse(member: Member, id: number | undefined, error: WireError): void {
    const { core } = this.#options;
    const packet = id === undefined ? { event: ControlEvent.error, data: error } : { reply: id, error };
    try {
      core.delivery.send(member, core.encode(packet));
    } catch (failure) {
      this.#options.failed(failure, member, ControlEvent.error);
    }
  }
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
