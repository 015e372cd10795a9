import type { ReplyPacket, WireErrorCode } from "../protocol/packet.ts";
import { badArgument, ReplyError } from "./errors.ts";
import type { Link } from "./link.ts";
import type { AnyListener, ClientListeners } from "./listeners.ts";
import { check, encode, type PacketFormat } from "./packet-format.ts";

/** The handlers of the server's requests. Each reply goes to the connection that its request came on, or nowhere. */
export class Handlers {
  readonly #handlers = new Map<string, AnyListener>();
  readonly #format: PacketFormat;
  readonly #listeners: ClientListeners;

  /** @param listeners - those that are told what a handler throws, unless it is a {@link ReplyError}. */
  constructor(format: PacketFormat, listeners: ClientListeners) {
    this.#format = format;
    this.#listeners = listeners;
  }

  /**
   * Adds the handler of an event.
   *
   * @returns a function that removes exactly this registration, even if the same handler is added again later.
   * @throws {ClientError} `ERR_CLIENT_ARGUMENT` if the event has a handler.
   */
  add(event: string, handler: AnyListener): () => void {
    if (this.#handlers.has(event)) throw badArgument(`"${event}" has a handler.`);
    // The same handler may be added again, and is not this one then.
    const added: AnyListener = (data) => handler(data);
    this.#handlers.set(event, added);
    return () => {
      if (this.#handlers.get(event) === added) this.#handlers.delete(event);
    };
  }

  /** Replies to a request with what its handler returns, or with an error. */
  async answer(link: Link, event: string, id: number, data: unknown): Promise<void> {
    try {
      const handler = this.#handlers.get(event);
      if (!handler)
        throw new ReplyError("unknown-event" satisfies typeof WireErrorCode.unknownEvent, `"${event}" has no handler.`);
      this.#reply(link, { reply: id, data: check(this.#format, "checkAnswer", event, await handler(data)) });
    } catch (error) {
      if (error instanceof ReplyError) this.refuse(link, id, error.reason, error.message, error.data);
      else {
        this.refuse(link, id, "handler-failed" satisfies typeof WireErrorCode.handlerFailed, "Client failed");
        this.#listeners.failed(error);
      }
    }
  }

  /** Replies to a request with an error; without its data if that cannot be encoded. */
  refuse(link: Link, id: number, code: string, message: string, data?: unknown): void {
    try {
      this.#reply(link, { reply: id, error: { code, message, data } });
    } catch (error) {
      this.#listeners.failed(error);
      this.#reply(link, { reply: id, error: { code, message } });
    }
  }

  #reply(link: Link, packet: ReplyPacket): void {
    link.send(encode(this.#format, packet));
  }
}
