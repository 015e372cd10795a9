import { RESERVED_PREFIX, type ReplyPacket } from "../protocol/packet.ts";
import { badArgument, ClientError, remote } from "./errors.ts";
import { isDuration } from "./options.ts";
import type { Outbox, Outgoing } from "./outbox.ts";

/** The options of a request. */
export interface RequestOptions {
  /** The time to wait for the reply, reconnections included, in milliseconds. Default: 10,000. */
  readonly timeout?: number | undefined;
  /** A signal that gives up the request when it is aborted. The request then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether the client may send the request again if the connection breaks before the reply arrives. The server still
   * handles the request once, as long as it remembers the request. Default: `false`; the request then rejects with
   * `ERR_CLIENT_DISCONNECTED`.
   */
  readonly idempotent?: boolean | undefined;
}

/** A request that the client has sent or will send, and that has not settled. */
interface ClientRequest extends Outgoing {
  /** Whether the client may send the request again after the connection was lost. */
  readonly repeatable: boolean;
  replied(reply: ReplyPacket): void;
}

/** The client's requests that have not settled. Every request settles exactly once. */
export class ClientRequests {
  readonly #pending = new Map<number, ClientRequest>();
  readonly #outbox: Outbox;
  readonly #send: (request: Outgoing) => void;
  #lastId = 0;

  /**
   * @param send - sends a request or queues it until there is a connection. An error that it throws settles the
   *   request.
   */
  constructor(outbox: Outbox, send: (request: Outgoing) => void) {
    this.#outbox = outbox;
    this.#send = send;
  }

  /**
   * Starts a request.
   *
   * @param encode - encodes the request with this number, which no other request of this client has.
   * @returns the data of the reply.
   */
  async start(
    event: string,
    encode: (id: number) => string | Uint8Array,
    repeatable: boolean,
    { timeout = 10_000, signal }: RequestOptions,
  ): Promise<unknown> {
    if (!isDuration(timeout, 1)) throw badArgument("Not a timeout.");
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    const message = encode(id);
    return new Promise((resolve, reject) => {
      const settle = (conclude: () => void): void => {
        if (!this.#pending.delete(id)) return;
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        this.#outbox.delete(request);
        conclude();
      };
      const fail = (error: unknown): void => settle(() => reject(error));
      const abort = (): void => fail(signal?.reason);
      const timer = setTimeout(() => {
        fail(new ClientError("ERR_CLIENT_TIMEOUT", `No reply to "${event}" within ${timeout} ms.`));
      }, timeout);
      const request: ClientRequest = {
        event,
        message,
        repeatable,
        again: event.startsWith(RESERVED_PREFIX) ? false : undefined,
        replied: ({ data, error }) => (error ? fail(remote(error)) : settle(() => resolve(data))),
        dropped: fail,
      };
      this.#pending.set(id, request);
      signal?.addEventListener("abort", abort);
      try {
        this.#send(request);
      } catch (error) {
        fail(error);
      }
    });
  }

  /** Settles the request that the reply belongs to. A reply to no pending request is ignored. */
  replied(reply: ReplyPacket): void {
    this.#pending.get(reply.reply)?.replied(reply);
  }

  /** Called when the connection has ended. */
  disconnected(): void {
    for (const request of this.#pending.values()) {
      if (this.#outbox.has(request)) continue;
      if (request.repeatable) request.again = true;
      else request.dropped(new ClientError("ERR_CLIENT_DISCONNECTED", `Disconnected. No reply to "${request.event}".`));
    }
  }

  /**
   * Sends the requests that come before the outbox on a new connection: those that concern rooms, then those that were
   * sent on an earlier connection.
   */
  sendAgain(): void {
    for (const isOfRooms of [true, false]) {
      for (const request of this.#pending.values()) {
        if (request.again !== true || request.event.startsWith(RESERVED_PREFIX) !== isOfRooms) continue;
        request.again = false;
        this.#send(request);
      }
    }
  }

  /** Rejects all pending requests. */
  close(error: ClientError): void {
    for (const request of this.#pending.values()) request.dropped(error);
  }
}
