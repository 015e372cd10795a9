import { ClientError } from "./errors.ts";

/** What happens to a message for which there is no room while the client is offline. */
export type QueuePolicy = "reject" | "drop-oldest";

/** How much waits while the client is not connected. */
export interface QueueOptions {
  /**
   * The most that waits, in bytes: the length of the encoded messages, and 64 for each. 0 lets nothing wait.
   *
   * Default: 1 MiB.
   */
  readonly maxBytes?: number | undefined;
  /**
   * `"reject"` refuses the new message: `emit` throws, `request` rejects, with `ERR_CLIENT_QUEUE_FULL`. `"drop-oldest"`
   * makes room: a request that is dropped rejects with `ERR_CLIENT_DROPPED`, of an event `hub:error` tells.
   *
   * Default: `"reject"`.
   */
  readonly policy?: QueuePolicy | undefined;
}

/** {@link QueueOptions} with the defaults filled in. */
export interface Limits {
  readonly maxBytes: number;
  readonly policy: QueuePolicy;
}

/** A message, encoded, and whoever has to know if it is not sent. */
export interface Outgoing {
  /** What it is, for errors: the name of the event. */
  readonly event: string;
  readonly message: string | Uint8Array;
  /**
   * Of what its call keeps, and the outbox need not: whether it has to be sent on the next connection. What has to do with
   * rooms is never in the outbox, where there might be no room for it, nor is what was sent already.
   */
  again?: boolean | undefined;
  /** Called when it will not be sent, or not answered, any more. */
  readonly dropped: (error: ClientError) => void;
}

/** What the record of a message takes beside the message. */
const RECORD_BYTES = 64;

/** What waits for the next connection, in order and bounded. */
export class Outbox {
  readonly #options: Limits;
  readonly #waiting = new Set<Outgoing>();
  #bytes = 0;

  constructor(options: Limits) {
    this.#options = options;
  }

  /** @throws {ClientError} `ERR_CLIENT_QUEUE_FULL`. */
  push(outgoing: Outgoing): void {
    const { maxBytes, policy } = this.#options;
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

  /** It is not wanted any more. */
  delete(outgoing: Outgoing): void {
    if (this.#waiting.delete(outgoing)) this.#bytes -= sizeOf(outgoing);
  }

  /** None of it will be sent. */
  clear(): void {
    for (const outgoing of this.#waiting) this.#drop(outgoing);
  }

  /** Everything that waits; nothing does afterwards. */
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

function sizeOf({ message }: Outgoing): number {
  return RECORD_BYTES + message.length;
}
