import type { Clock } from "../time/clock.ts";
import type { Member } from "../members/member.ts";

/**
 * The shortest time that a copy is waited for, in milliseconds. A copy that is later than twice this time is taken for
 * a new message.
 */
const PATIENCE = 30_000;

/** A message that came in by some of its routes and not yet by all of them. */
interface Incomplete {
  /** Number of copies that are missing. */
  readonly left: number;
  readonly reached: Set<Member>;
}

/** One of the copies of a message. */
export interface Copy {
  readonly isFirst: boolean;
  /** The members that have had the message, to be added to; `undefined` where there are no other copies. */
  readonly reached: Set<Member> | undefined;
}

const ONLY_COPY: Copy = { isFirst: true, reached: undefined };

/**
 * Remembers which members have had a message, until its last copy is in: a message for several rooms is published to
 * each of them, and a node with members in several of them gets it several times.
 */
export class Copies {
  readonly #clock: Clock;
  #young = new Map<string, Incomplete>();
  #old = new Map<string, Incomplete>();
  #turned: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#turned = clock.now();
  }

  /**
   * Takes a copy that came in.
   *
   * @param key - identifies the message: all its copies have the same key, and no other message has it.
   * @param count - the number of copies that come to this node.
   */
  take(key: string, count: number): Copy {
    if (count < 2) return ONLY_COPY;
    this.#forget();
    const known = this.#young.get(key) ?? this.#old.get(key);
    const { left, reached } = known ?? { left: count, reached: new Set<Member>() };
    this.#old.delete(key);
    if (left > 1) this.#young.set(key, { left: left - 1, reached });
    else this.#young.delete(key);
    return { isFirst: known === undefined, reached };
  }

  /** Forgets messages of which copies were lost. */
  #forget(): void {
    const now = this.#clock.now();
    if (now - this.#turned < PATIENCE) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#turned = now;
  }
}
