import type { Member } from "../members/member.ts";
import type { Clock } from "../time/clock.ts";
import { Recent } from "./recent.ts";

/**
 * The time for which a message is remembered, in milliseconds. Copies leave their node together, and a connection to the
 * engine that stands still for longer is ended, with everything that was under way.
 */
const PATIENCE = 30_000;

const NOBODY: Set<Member> = new Set();

/**
 * Recognises the copies of one message. What is for several channels is published to each of them, and a node that hears
 * several of these gets several copies: the sockets that are meant are found when the first copy comes in, and each gets
 * the message once. Who joins one of the rooms between two copies does not get the second.
 */
export class Copies {
  readonly #isOrdered: boolean;
  /** The number of the last message of each node: where all copies come in order, nothing else comes between them. */
  readonly #last: Recent<number>;
  /** The members who wait for another copy of a message, by its node and number. */
  readonly #waiting: Recent<Set<Member>>;

  /** @param isOrdered - whether messages of one node on several channels arrive in order. */
  constructor(clock: Clock, isOrdered: boolean) {
    this.#isOrdered = isOrdered;
    this.#last = new Recent(clock, PATIENCE);
    this.#waiting = new Recent(clock, PATIENCE);
  }

  /**
   * Takes a copy by which the message goes to everybody who is meant. Returns whether it is the first.
   *
   * @param number - the number of the message: its node uses ever higher numbers.
   */
  isFirst(from: string, number: number): boolean {
    if (this.#isOrdered) {
      const isFirst = number > (this.#last.get(from) ?? 0);
      if (isFirst) this.#last.set(from, number);
      return isFirst;
    }
    const key = keyOf(from, number);
    if (this.#waiting.get(key) !== undefined) return false;
    this.#waiting.set(key, NOBODY);
    return true;
  }

  /**
   * Takes a copy by which the message goes only to those whom its channel names.
   *
   * @param find - returns everybody who is meant.
   * @returns the members who wait for the message, from whom those are to be deleted who get it.
   */
  waiting(from: string, number: number, find: () => Set<Member>): Set<Member> {
    const key = keyOf(from, number);
    let waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#waiting.set(key, (waiting = find()));
    return waiting;
  }
}

function keyOf(from: string, number: number): string {
  return `${from}${number}`;
}
