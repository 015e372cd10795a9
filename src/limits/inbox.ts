import type { Buffer } from "node:buffer";
import type { ByteBudget } from "./byte-budget.ts";

/**
 * Approximate size of the record of a waiting message without its bytes: messages of one byte must not cost nothing.
 */
const RECORD_BYTES = 256;

/** Returns the number of bytes that a message takes while it waits. */
export function sizeOf({ length }: Uint8Array): number {
  return length + RECORD_BYTES;
}

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
  readonly weighed: Queue<WeighedMessage>;
  readonly unread: Queue<WaitingMessage>;

  /**
   * @param budget - the budget of all messages that wait.
   * @param owner - the key of the user or address that the client belongs to.
   */
  constructor(budget: ByteBudget, owner: string) {
    this.weighed = new Queue(budget, owner);
    this.unread = new Queue(budget, owner);
  }

  get isEmpty(): boolean {
    return this.weighed.size === 0 && this.unread.size === 0;
  }

  /** Number of bytes that the waiting messages take, with their records. */
  get bytes(): number {
    return this.weighed.bytes + this.unread.bytes;
  }

  /** Forgets all messages. */
  clear(): void {
    this.weighed.clear();
    this.unread.clear();
  }
}

/** Messages in order, with the number of bytes that they take. */
class Queue<M extends WaitingMessage> {
  readonly #budget: ByteBudget;
  readonly #owner: string;
  /** Behind the removed messages, which hold nothing any more, those that wait. */
  #messages: (M | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  constructor(budget: ByteBudget, owner: string) {
    this.#budget = budget;
    this.#owner = owner;
  }

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
    const size = sizeOf(message.data);
    this.#messages.push(message);
    this.#bytes += size;
    this.#budget.take(this.#owner, size);
  }

  /** Removes the next message. */
  shift(): M | undefined {
    const message = this.#messages[this.#head];
    if (message === undefined) return undefined;
    const size = sizeOf(message.data);
    this.#bytes -= size;
    this.#budget.giveBack(this.#owner, size);
    this.#messages[this.#head++] = undefined;
    // The places of removed messages must not outnumber the others.
    if (this.#head > this.#messages.length >> 1) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }

  clear(): void {
    this.#budget.giveBack(this.#owner, this.#bytes);
    this.#messages = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}
