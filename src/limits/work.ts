import { ByteBudget } from "./byte-budget.ts";

/** The state on a member whose messages handlers are at work on. */
export interface Working {
  /** The key of the user or address that this member belongs to. */
  readonly owner: string;
  /** Number of this member's messages that asynchronous handlers are at work on. */
  handling: number;
  /** Weight of these messages, in bytes. */
  handlingBytes: number;
}

/** The messages that handlers are at work on, of all sockets. No message begins that would exceed the budget. */
export class WorkBudget {
  readonly #budget: ByteBudget;
  #count = 0;

  /** @param most - the budget, in bytes. */
  constructor(most: number) {
    this.#budget = new ByteBudget(most);
  }

  /** Number of messages that handlers are at work on. */
  get count(): number {
    return this.#count;
  }

  /** Weight of the messages that handlers are at work on, in bytes. */
  get bytes(): number {
    return this.#budget.bytes;
  }

  /** The most that {@link bytes} has been. */
  get peak(): number {
    return this.#budget.peak;
  }

  /** Returns whether the handler of a message of this weight may begin now. */
  allows({ owner }: Working, weight: number): boolean {
    return this.#budget.allows(owner, weight);
  }

  /** Counts a message whose handler has begun to work asynchronously. */
  begin(working: Working, weight: number): void {
    working.handling++;
    working.handlingBytes += weight;
    this.#count++;
    this.#budget.take(working.owner, weight);
  }

  /** Counts the end of such a message. */
  end(working: Working, weight: number): void {
    working.handling--;
    working.handlingBytes -= weight;
    this.#count--;
    this.#budget.giveBack(working.owner, weight);
  }
}
