import { ClientError, remote } from "./errors.ts";
import { RESERVED_PREFIX, type ReplyPacket } from "../protocol/packet.ts";
import { isDuration } from "./options.ts";
import type { Outbox, Outgoing } from "./outbox.ts";

/** How a request is asked. */
export interface RequestOptions {
  /** How long to wait for the reply, reconnections included, in milliseconds. Default: 10,000. */
  readonly timeout?: number | undefined;
  /** Gives up when it is aborted; the request rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether the request may be sent again when the connection breaks before the reply has come. The server handles it once
   * all the same, as long as it remembers. Default: `false`: it rejects with `ERR_CLIENT_DISCONNECTED`.
   */
  readonly idempotent?: boolean | undefined;
}

/** A request under way. */
interface Call extends Outgoing {
  /** Whether it may be sent again after a lost connection. */
  readonly repeatable: boolean;
  replied(reply: ReplyPacket): void;
}

/** The requests that are not settled. Every one of them settles, once. */
export class Calls {
  readonly #pending = new Map<number, Call>();
  readonly #outbox: Outbox;
  readonly #send: (call: Outgoing) => void;
  #lastId = 0;

  /** `send` sends a call, or has it wait for a connection; what it throws settles the call. */
  constructor(outbox: Outbox, send: (call: Outgoing) => void) {
    this.#outbox = outbox;
    this.#send = send;
  }

  /** @param encode - the message of the request with this number, which no other of this client has. */
  async start(
    event: string,
    encode: (id: number) => string | Uint8Array,
    repeatable: boolean,
    { timeout = 10_000, signal }: RequestOptions,
  ): Promise<unknown> {
    if (!isDuration(timeout, 1)) throw new ClientError("ERR_CLIENT_ARGUMENT", "Not a timeout.");
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    const message = encode(id);
    return new Promise((resolve, reject) => {
      const settle = (conclude: () => void): void => {
        if (!this.#pending.delete(id)) return;
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        this.#outbox.delete(call);
        conclude();
      };
      const fail = (error: unknown): void => settle(() => reject(error));
      const abort = (): void => fail(signal?.reason);
      const timer = setTimeout(() => {
        fail(new ClientError("ERR_CLIENT_TIMEOUT", `No reply to "${event}" within ${timeout} ms.`));
      }, timeout);
      const call: Call = {
        event,
        message,
        repeatable,
        again: event.startsWith(RESERVED_PREFIX) ? false : undefined,
        replied: ({ data, error }) => (error ? fail(remote(error)) : settle(() => resolve(data))),
        dropped: fail,
      };
      this.#pending.set(id, call);
      signal?.addEventListener("abort", abort);
      try {
        this.#send(call);
      } catch (error) {
        fail(error);
      }
    });
  }

  /** One that nobody waits for is ignored. */
  replied(reply: ReplyPacket): void {
    this.#pending.get(reply.reply)?.replied(reply);
  }

  /** The connection is gone. */
  disconnected(): void {
    for (const call of this.#pending.values()) {
      if (this.#outbox.has(call)) continue;
      if (call.repeatable) call.again = true;
      else call.dropped(new ClientError("ERR_CLIENT_DISCONNECTED", `Disconnected from "${call.event}".`));
    }
  }

  /** On a new connection, what goes before the outbox: what has to do with rooms, then what was sent on an earlier one. */
  sendAgain(): void {
    for (const isOfRooms of [true, false]) {
      for (const call of this.#pending.values()) {
        if (call.again !== true || call.event.startsWith(RESERVED_PREFIX) !== isOfRooms) continue;
        call.again = false;
        this.#send(call);
      }
    }
  }

  /** Settles everything. */
  close(error: ClientError): void {
    for (const call of this.#pending.values()) call.dropped(error);
  }
}
