import { ClientError } from "./errors.ts";
import type { ReplyPacket } from "../protocol/packet.ts";
import type { Outgoing } from "./outbox.ts";

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
export interface Call extends Outgoing {
  readonly event: string;
  /** Whether it is sent again after a lost connection. */
  readonly repeatable: boolean;
  sent: boolean;
  replied(reply: ReplyPacket): void;
  failed(error: unknown): void;
}

/** What a call begins with. */
export interface CallOptions {
  readonly id: number;
  readonly event: string;
  readonly message: string | Uint8Array;
  readonly repeatable: boolean;
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  /** Sends it. What it throws settles the call. */
  readonly begin: (call: Call) => void;
  /** It is settled: whoever keeps it may let it go. */
  readonly settled: (call: Call) => void;
}

/** The requests that are not settled. Every one of them settles, once. */
export class Calls {
  readonly #pending = new Map<number, Call>();
  #lastId = 0;

  /** A number that no request of this client had. */
  nextId(): number {
    return ++this.#lastId;
  }

  start({ id, event, message, repeatable, timeout, signal, begin, settled }: CallOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        call.failed(new ClientError("ERR_CLIENT_TIMEOUT", `No reply to "${event}" within ${timeout} ms.`));
      }, timeout);
      const abort = (): void => call.failed(signal?.reason);
      const settle = (conclude: () => void): void => {
        if (!this.#pending.delete(id)) return;
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        settled(call);
        conclude();
      };
      const call: Call = {
        event,
        message,
        repeatable,
        sent: false,
        transmit: (link) => {
          call.sent = true;
          link.send(message);
        },
        replied: ({ data, error }) => settle(() => (error === undefined ? resolve(data) : reject(remote(error)))),
        failed: (error) => settle(() => reject(error)),
        dropped: (error) => call.failed(error),
      };
      this.#pending.set(id, call);
      signal?.addEventListener("abort", abort);
      try {
        signal?.throwIfAborted();
        begin(call);
      } catch (error) {
        call.failed(error);
      }
    });
  }

  /** One that nobody waits for is ignored. */
  replied(reply: ReplyPacket): void {
    this.#pending.get(reply.reply)?.replied(reply);
  }

  /** The connection is gone. Returns the calls that have to be sent again, in their order. */
  disconnected(): readonly Call[] {
    const sent = [...this.#pending.values()].filter((call) => call.sent);
    for (const call of sent) {
      call.sent = false;
      if (!call.repeatable) {
        call.failed(
          new ClientError(
            "ERR_CLIENT_DISCONNECTED",
            `The connection was lost before the reply to "${call.event}". It may have been handled.`,
          ),
        );
      }
    }
    return sent.filter((call) => call.repeatable);
  }

  /** Settles everything. */
  close(error: ClientError): void {
    for (const call of this.#pending.values()) call.failed(error);
  }
}

/** What the server refused something with. */
export function remote({ code, message }: { readonly code: string; readonly message: string }): ClientError {
  return new ClientError("ERR_CLIENT_REMOTE", message, { reason: code });
}
