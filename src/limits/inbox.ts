import type { Buffer } from "node:buffer";

/**
 * Approximate size of the record of a waiting message without its bytes: messages of one byte must not cost nothing.
 */
const RECORD_BYTES = 256;

/** A message that waits to be handled. */
export interface WaitingMessage {
  /** The bytes of the message, which are the hub's own. */
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** A message that was charged and looked at, and waits for handlers to finish. */
export interface WeighedMessage extends WaitingMessage {
  readonly weight: number;
  /** The time since which the message waits for handlers, in milliseconds. */
  readonly since: number;
}

/**
 * The messages of one client that wait, in order: first those that wait for handlers to finish, and behind them those
 * that wait for the rate of the client and were not looked at yet.
 */
export class Inbox {
  readonly weighed: Queue<WeighedMessage> = new Queue();
  readonly unread: Queue<WaitingMessage> = new Queue();

  get isEmpty(): boolean {
    return this.weighed.size === 0 && this.unread.size === 0;
  }

  /** Number of bytes that the waiting messages take, with their records. */
  get bytes(): number {
    return this.weighed.bytes + this.unread.bytes;
  }
}

/** Messages in order, with the number of bytes that they take. */
class Queue<M extends WaitingMessage> {
  #messages: M[] = [];
  #head = 0;
  #bytes = 0;

  get size(): number {
    return this.#messages.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The next message, if there is one. */
  get first(): M | undefined {
    return this.#messages[this.#head];
  }

  push(message: M): void {
    this.#messages.push(message);
    this.#bytes += message.data.length + RECORD_BYTES;
  }

  /** Removes the next message. */
  shift(): M | undefined {
    const message = this.#messages[this.#head];
    if (message === undefined) return undefined;
    this.#bytes -= message.data.length + RECORD_BYTES;
    this.#head++;
    // The places of removed messages must not outnumber the others.
    if (this.#head > this.#messages.length >> 1) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }
}
