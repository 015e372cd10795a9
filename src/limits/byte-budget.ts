/**
 * Messages below this weight may use the last part of a budget, so that small ones pass while large ones have the rest.
 */
const SMALL = 4_096;

/** The part of a budget that is kept for small messages. */
const RESERVE = 1 / 8;

/**
 * A budget of bytes for all sockets together, also for those that have ended.
 *
 * One owner, a user or an address, may use half of what is free: one greedy owner gets a third of the budget, and
 * several leave room for others.
 */
export class ByteBudget {
  readonly #most: number;
  /** The bytes in use of each owner that uses any. */
  readonly #owners = new Map<string, number>();
  #bytes = 0;
  #peak = 0;

  /** @param most - the budget, in bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Number of bytes in use. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The most that {@link bytes} has been. */
  get peak(): number {
    return this.#peak;
  }

  /** Returns whether an owner may use so many bytes more for a message. */
  allows(owner: string, weight: number): boolean {
    const most = weight < SMALL ? this.#most : this.#most * (1 - RESERVE);
    const free = most - this.#bytes;
    if (weight > free) return false;
    // An owner uses no more than all together: with little in use, there is no need to look the owner up.
    if (this.#bytes + weight <= free / 2) return true;
    return (this.#owners.get(owner) ?? 0) + weight <= free / 2;
  }

  take(owner: string, weight: number): void {
    this.#bytes += weight;
    this.#peak = Math.max(this.#peak, this.#bytes);
    this.#owners.set(owner, (this.#owners.get(owner) ?? 0) + weight);
  }

  giveBack(owner: string, weight: number): void {
    this.#bytes -= weight;
    const left = (this.#owners.get(owner) ?? 0) - weight;
    if (left > 0) this.#owners.set(owner, left);
    else this.#owners.delete(owner);
  }
}
