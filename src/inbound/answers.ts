import type { Counters } from "../counters.ts";

/** How much of the replies to repeatable requests is kept, and for how long. */
export interface AnswerLimits {
  readonly within: number;
  readonly maxBytes: number;
  readonly maxBytesPerOwner: number;
}

/** What was answered to a request that may be repeated. */
export interface Answer {
  /** The reply, or `undefined` if only the fact is kept that the request was handled. */
  readonly reply: string | Uint8Array | undefined;
}

/** An answer and its place in two queues: that of all answers, and that of its owner's. */
interface KeptAnswer extends Answer {
  readonly identity: string;
  readonly owner: Owner;
  readonly bytes: number;
  readonly time: number;
  older: KeptAnswer | undefined;
  newer: KeptAnswer | undefined;
  nextOfOwner: KeptAnswer | undefined;
}

/** The answers of one owner. They leave in the order in which they came. */
interface Owner {
  readonly key: string;
  bytes: number;
  oldest: KeptAnswer | undefined;
  newest: KeptAnswer | undefined;
  /** The owners of about the same size, and the place among them. */
  peers: Owner[] | undefined;
  index: number;
}

/** The size of an answer without its identity and its reply, with its part of the maps and of the record of its owner. */
const RECORD_BYTES = 640;

/**
 * The answers to requests that may be repeated.
 *
 * An owner whose answers take more than its share loses its own oldest ones. If all of them take too much, the owner loses
 * whose answers take the most: so nobody pushes out the answers of those who keep fewer. Each operation costs the same, however
 * many answers and owners there are, apart from what it forgets.
 */
export class Answers {
  readonly #limits: AnswerLimits;
  readonly #counters: Pick<Counters, "answersForgotten">;
  readonly #byIdentity = new Map<string, KeptAnswer>();
  readonly #owners = new Map<string, Owner>();
  /** The owners by the number of leading zeros of their bytes: the largest come first. */
  readonly #bySize: Owner[][] = Array.from({ length: 32 }, () => []);
  #oldest: KeptAnswer | undefined;
  #newest: KeptAnswer | undefined;
  #bytes = 0;

  constructor(limits: AnswerLimits, counters: Pick<Counters, "answersForgotten">) {
    this.#limits = limits;
    this.#counters = counters;
  }

  /** Returns the answer to a request, unless it was given too long ago. */
  find(identity: string, now: number): Answer | undefined {
    this.#expire(now);
    return this.#byIdentity.get(identity);
  }

  /** Keeps the answer to a request to which none is kept. */
  keep(identity: string, ownerKey: string, reply: string | Uint8Array | undefined, now: number): void {
    this.#expire(now);
    const bytes = RECORD_BYTES + 2 * identity.length + bytesOf(reply);
    const owner = this.#owners.get(ownerKey) ?? this.#addOwner(ownerKey);
    const older = this.#newest;
    const answer = { identity, owner, reply, bytes, time: now, older, newer: undefined, nextOfOwner: undefined };
    this.#byIdentity.set(identity, answer);
    if (older === undefined) this.#oldest = answer;
    else older.newer = answer;
    this.#newest = answer;
    if (owner.newest === undefined) owner.oldest = answer;
    else owner.newest.nextOfOwner = answer;
    owner.newest = answer;
    this.#resize(owner, bytes);

    const { maxBytes, maxBytesPerOwner } = this.#limits;
    while (owner.oldest !== undefined && owner.bytes > maxBytesPerOwner) this.#forgetEarly(owner.oldest);
    for (let next = this.#oldestOfLargest(); next !== undefined && this.#bytes > maxBytes;) {
      this.#forgetEarly(next);
      next = this.#oldestOfLargest();
    }
  }

  #expire(now: number): void {
    const first = now - this.#limits.within;
    while (this.#oldest !== undefined && this.#oldest.time < first) this.#forget(this.#oldest);
  }

  #forgetEarly(answer: KeptAnswer): void {
    this.#counters.answersForgotten++;
    this.#forget(answer);
  }

  /** Forgets an answer that is the oldest of its owner, as the oldest of all is, too. */
  #forget({ identity, owner, bytes, older, newer, nextOfOwner }: KeptAnswer): void {
    this.#byIdentity.delete(identity);
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    owner.oldest = nextOfOwner;
    if (nextOfOwner === undefined) this.#owners.delete(owner.key);
    this.#resize(owner, -bytes);
  }

  #addOwner(key: string): Owner {
    const owner = { key, bytes: 0, oldest: undefined, newest: undefined, peers: undefined, index: 0 };
    this.#owners.set(key, owner);
    return owner;
  }

  #resize(owner: Owner, change: number): void {
    this.#bytes += change;
    owner.bytes += change;
    const { index, peers } = owner;
    const next = owner.bytes === 0 ? undefined : this.#bySize[Math.clz32(owner.bytes)];
    if (next === peers) return;
    // The last of the list takes the place of the one that leaves.
    const last = peers?.pop();
    if (peers !== undefined && last !== undefined && last !== owner) {
      last.index = index;
      peers[index] = last;
    }
    owner.peers = next;
    if (next !== undefined) owner.index = next.push(owner) - 1;
  }

  /** Returns the oldest answer of the owner whose answers take the most, or of one whose answers take half as much or more. */
  #oldestOfLargest(): KeptAnswer | undefined {
    return this.#bySize.find((owners) => owners.length > 0)?.at(-1)?.oldest;
  }
}

/** The most that a reply takes: a string takes at most two bytes a character. */
function bytesOf(reply: string | Uint8Array = ""): number {
  return typeof reply === "string" ? 2 * reply.length : reply.length;
}
