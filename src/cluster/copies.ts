import type { Clock } from "../time/clock.ts";
import type { Member } from "../members/member.ts";

/** How long a copy may be behind the first one, in milliseconds, at least; what is later than twice that is taken for new. */
const PATIENCE = 30_000;

/** What came in by some of its routes and not yet by all of them. */
interface Incomplete {
  readonly left: number;
  readonly reached: Set<Member>;
}

/** One of the copies of a message. */
export interface Copy {
  readonly isFirst: boolean;
  /** Those who have had the message, to be added to; `undefined` where there are no other copies. */
  readonly reached: Set<Member> | undefined;
}

const ONLY_COPY: Copy = { isFirst: true, reached: undefined };

/**
 * What is meant for several rooms is published to each of them, and a node with members in several gets it several times. This
 * remembers who has had it, until the last copy is in.
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
   * One copy has come in.
   *
   * @param key - what all copies of a message have in common, and no others.
   * @param count - how many copies come to this node.
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

  /** Copies that were lost are not waited for for ever. */
  #forget(): void {
    const now = this.#clock.now();
    if (now - this.#turned < PATIENCE) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#turned = now;
  }
}
