/** The messages of one owner that handlers are at work on. */
interface OwnerWork {
  bytes: number;
}

/** The state on a member whose messages handlers are at work on. */
export interface Working {
  /** The key of the user or address that this member belongs to. */
  readonly owner: string;
  /** Number of this member's messages that asynchronous handlers are at work on. */
  handling: number;
  /** Weight of these messages, in bytes. */
  handlingBytes: number;
}

/**
 * Messages below this weight may use the last part of the budget, so that small ones pass while large ones are at work.
 */
const SMALL = 4_096;

/** The part of the budget that is kept for small messages: an eighth, as a shift. */
const RESERVE_SHIFT = 3;

/**
 * The budget of bytes that handlers are at work on, for all sockets together, also for those that have ended.
 *
 * One owner, a user or an address, may use half of what is free: one greedy owner gets a third of the budget, and
 * several leave room for others. No message begins that would exceed the budget.
 */
export class WorkBudget {
  readonly #most: number;
  readonly #owners = new Map<string, OwnerWork>();
  #bytes = 0;
  #count = 0;
  #peak = 0;

  /** @param most - the budget, in bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Number of messages that handlers are at work on. */
  get count(): number {
    return this.#count;
  }

  /** Weight of the messages that handlers are at work on, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The most that {@link bytes} has been. */
  get peak(): number {
    return this.#peak;
  }

  /** Returns whether the handler of a message of this weight may begin now. */
  allows({ owner }: Working, weight: number): boolean {
    const most = weight < SMALL ? this.#most : this.#most - (this.#most >> RESERVE_SHIFT);
    const free = most - this.#bytes;
    if (weight > free) return false;
    // An owner uses no more than all together: with little at work, there is no need to look the owner up.
    if (this.#bytes + weight <= free / 2) return true;
    return (this.#owners.get(owner)?.bytes ?? 0) + weight <= free / 2;
  }

  /** Counts a message whose handler has begun to work asynchronously. */
  begin(working: Working, weight: number): void {
    working.handling++;
    working.handlingBytes += weight;
    this.#count++;
    this.#bytes += weight;
    this.#peak = Math.max(this.#peak, this.#bytes);
    const work = this.#owners.get(working.owner);
    if (work === undefined) this.#owners.set(working.owner, { bytes: weight });
    else work.bytes += weight;
  }

  /** Counts the end of such a message. */
  end(working: Working, weight: number): void {
    working.handling--;
    working.handlingBytes -= weight;
    this.#count--;
    this.#bytes -= weight;
    const work = this.#owners.get(working.owner);
    if (work === undefined) return;
    work.bytes -= weight;
    if (work.bytes <= 0) this.#owners.delete(working.owner);
  }
}
