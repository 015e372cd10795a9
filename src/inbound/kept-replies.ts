import type { Counters } from "../counters.ts";

/** Bounds of the kept replies, in milliseconds and bytes. */
export interface KeptReplyLimits {
  readonly within: number;
  readonly maxBytes: number;
  readonly maxBytesPerOwner: number;
}

/** The reply to a request that may be repeated. */
export interface KeptReply {
  /** The text or bytes of the reply; `undefined` if only the fact is kept that the request was handled. */
  readonly reply: string | Uint8Array | undefined;
}

/** A kept reply and its place in two queues: that of all kept replies, and that of its owner's. */
interface KeptReplyRecord extends KeptReply {
  readonly identity: string;
  readonly owner: Owner;
  readonly bytes: number;
  readonly time: number;
  older: KeptReplyRecord | undefined;
  newer: KeptReplyRecord | undefined;
  nextOfOwner: KeptReplyRecord | undefined;
}

/** The kept replies of one owner. They are forgotten in the order in which they were kept. */
interface Owner {
  readonly key: string;
  bytes: number;
  oldest: KeptReplyRecord | undefined;
  newest: KeptReplyRecord | undefined;
  /** The owners of about the same size. */
  peers: Owner[] | undefined;
  /** The place of this owner in `peers`. */
  index: number;
}

/** The size of a kept reply without its identity and its text, with its part of the maps and of its owner's record. */
const RECORD_BYTES = 640;

/**
 * The replies to requests that may be repeated.
 *
 * An owner whose replies exceed its share loses its own oldest ones. If all replies together exceed their bound, the
 * owner with the most bytes loses its oldest ones, so nobody pushes out the replies of owners that keep fewer. The cost
 * of an operation does not depend on the number of replies and owners, apart from the replies that it forgets.
 */
export class KeptReplies {
  readonly #limits: KeptReplyLimits;
  readonly #counters: Pick<Counters, "answersForgotten">;
  readonly #byIdentity = new Map<string, KeptReplyRecord>();
  readonly #owners = new Map<string, Owner>();
  /** The owners by the number of leading zeros of their bytes, the largest owners first. */
  readonly #bySize: Owner[][] = Array.from({ length: 32 }, () => []);
  #oldest: KeptReplyRecord | undefined;
  #newest: KeptReplyRecord | undefined;
  #bytes = 0;

  constructor(limits: KeptReplyLimits, counters: Pick<Counters, "answersForgotten">) {
    this.#limits = limits;
    this.#counters = counters;
  }

  /** Returns the kept reply to a request, unless it was given too long ago. */
  find(identity: string, now: number): KeptReply | undefined {
    this.#expire(now);
    return this.#byIdentity.get(identity);
  }

  /** Keeps the reply to a request for which none is kept. */
  keep(identity: string, ownerKey: string, reply: string | Uint8Array | undefined, now: number): void {
    this.#expire(now);
    const bytes = RECORD_BYTES + 2 * identity.length + bytesOf(reply);
    const owner = this.#owners.get(ownerKey) ?? this.#addOwner(ownerKey);
    const older = this.#newest;
    const record = { identity, owner, reply, bytes, time: now, older, newer: undefined, nextOfOwner: undefined };
    this.#byIdentity.set(identity, record);
    if (older === undefined) this.#oldest = record;
    else older.newer = record;
    this.#newest = record;
    if (owner.newest === undefined) owner.oldest = record;
    else owner.newest.nextOfOwner = record;
    owner.newest = record;
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

  #forgetEarly(record: KeptReplyRecord): void {
    this.#counters.answersForgotten++;
    this.#forget(record);
  }

  /** Forgets a reply that is the oldest of its owner. The oldest of all is also the oldest of its owner. */
  #forget({ identity, owner, bytes, older, newer, nextOfOwner }: KeptReplyRecord): void {
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

  /** Returns the oldest reply of the owner with the most bytes, or of an owner with at least half as many. */
  #oldestOfLargest(): KeptReplyRecord | undefined {
    return this.#bySize.find((owners) => owners.length > 0)?.at(-1)?.oldest;
  }
}

/** Returns the most bytes that a reply takes: a string takes at most two bytes a character. */
function bytesOf(reply: string | Uint8Array = ""): number {
  return typeof reply === "string" ? 2 * reply.length : reply.length;
}
