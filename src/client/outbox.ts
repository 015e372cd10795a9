import { ClientError } from "./errors.ts";

/** The policy for a message for which the queue has no room while the client is offline. */
export type QueuePolicy = "reject" | "drop-oldest";

/** Options of the queue for messages while the client is not connected. */
export interface QueueOptions {
  /**
   * The most bytes that the queue holds: the length of the encoded messages, and 64 for each message. With 0 nothing is
   * queued.
   *
   * Default: 1 MiB.
   */
  readonly maxBytes?: number | undefined;
  /**
   * `"reject"` refuses the new message with `ERR_CLIENT_QUEUE_FULL`: `emit` throws, `request` rejects. `"drop-oldest"`
   * makes room: a dropped request rejects with `ERR_CLIENT_DROPPED`, and a dropped event is reported in `hub:error`.
   *
   * Default: `"reject"`.
   */
  readonly policy?: QueuePolicy | undefined;
}

/** {@link QueueOptions} with the defaults filled in. */
export interface QueueLimits {
  readonly maxBytes: number;
  readonly policy: QueuePolicy;
}

/** An encoded message, and what to call if it is not sent. */
export interface Outgoing {
  /** The name of the event, for errors. */
  readonly event: string;
  readonly message: string | Uint8Array;
  /**
   * Whether the message must be sent on the next connection. Only requests have this: the client keeps them anyway, so
   * the outbox need not hold them. Requests that concern rooms are never in the outbox, which might have no room for
   * them, nor are messages that were sent already.
   */
  again?: boolean | undefined;
  /** Called when the message will no longer be sent, or no longer be answered. */
  readonly dropped: (error: ClientError) => void;
}

/** The messages that wait for the next connection, in order and bounded. */
export class Outbox {
  readonly #limits: QueueLimits;
  readonly #waiting = new Set<Outgoing>();
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** @throws {ClientError} `ERR_CLIENT_QUEUE_FULL`. */
  push(outgoing: Outgoing): void {
    const { maxBytes, policy } = this.#limits;
    const size = sizeOf(outgoing);
    if (size > maxBytes || (policy === "reject" && this.#bytes + size > maxBytes)) {
      throw new ClientError("ERR_CLIENT_QUEUE_FULL", `Over ${maxBytes} bytes wait.`);
    }
    this.#waiting.add(outgoing);
    this.#bytes += size;
    for (const oldest of this.#waiting) {
      if (this.#bytes <= maxBytes) break;
      this.#drop(oldest);
    }
  }

  has(outgoing: Outgoing): boolean {
    return this.#waiting.has(outgoing);
  }

  /** Removes a message that is no longer wanted. */
  delete(outgoing: Outgoing): void {
    if (this.#waiting.delete(outgoing)) this.#bytes -= sizeOf(outgoing);
  }

  /** Drops all messages. */
  clear(): void {
    for (const outgoing of this.#waiting) this.#drop(outgoing);
  }

  /** Takes all messages out of the outbox. */
  take(): readonly Outgoing[] {
    const all = [...this.#waiting];
    this.#waiting.clear();
    this.#bytes = 0;
    return all;
  }

  #drop(outgoing: Outgoing): void {
    this.delete(outgoing);
    outgoing.dropped(new ClientError("ERR_CLIENT_DROPPED", `Dropped "${outgoing.event}".`));
  }
}

/** Returns the bytes that a message takes in the queue: its text, and 64 beside it. */
function sizeOf({ message }: Outgoing): number {
  return 64 + message.length;
}
