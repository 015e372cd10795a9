import { Buffer } from "node:buffer";
import { isInteger, isObject, MAX_BYTES, MAX_DELAY, type Options } from "../checks/option-rules.ts";
import type { Counters } from "../counters.ts";
import type { Member } from "../members/member.ts";
import { ownerOf } from "../members/owner.ts";
import type { Receipt, Repeatable, RepeatKeeper } from "../members/repeats.ts";
import type { EventPacket } from "../protocol/packet.ts";
import type { Clock } from "../time/clock.ts";
import type { MessageFrame } from "../transports/transport.ts";
import { KeptReplies } from "./kept-replies.ts";

/** Bounds on the time and the memory for which the hub remembers requests that clients may repeat. */
export interface IdempotencyOptions {
  /** The time for which a repeated request gets the reply that was given, in milliseconds. */
  readonly within: number;
  /**
   * The most bytes that all remembered replies take. The owners with the most bytes lose their oldest replies first.
   */
  readonly maxBytes: number;
  /**
   * The most bytes that the remembered replies to one user take or, without a user, those to one address (of IPv6, to
   * one /64). Further replies push out the oldest of the same user or address. Default: 256 KiB.
   */
  readonly maxBytesPerOwner?: number | undefined;
}

/** The settings of idempotent requests. */
export interface IdempotencySettings {
  /**
   * Bounds on the time and the memory for which the hub remembers requests that clients mark as `idempotent`, so that a
   * request which is repeated after a lost connection is handled once. `false` remembers nothing.
   *
   * Default: `{ within: 120_000, maxBytes: 16 MiB, maxBytesPerOwner: 256 KiB }`.
   */
  readonly idempotency: IdempotencyOptions | false;
}

const KIB = 1024;

/** The default share of one owner, enough for the replies to 400 small requests in two minutes. */
const MAX_BYTES_PER_OWNER = 256 * KIB;

export const idempotencyOptions: Options<IdempotencySettings> = {
  idempotency: {
    default: { within: 120_000, maxBytes: 16 * KIB * KIB, maxBytesPerOwner: MAX_BYTES_PER_OWNER },
    rule: [
      "false or { within, maxBytes } in whole milliseconds and bytes, and maxBytesPerOwner, at most maxBytes",
      isIdempotency,
    ],
  },
};

function isIdempotency(value: unknown): boolean {
  if (value === false) return true;
  if (!isObject(value)) return false;
  const { within, maxBytes, maxBytesPerOwner, ...others } = value;
  return (
    Object.keys(others).length === 0 &&
    isInteger(within, 1, MAX_DELAY) &&
    isInteger(maxBytes, 1, MAX_BYTES) &&
    (maxBytesPerOwner === undefined || isInteger(maxBytesPerOwner, 1, maxBytes as number))
  );
}

/**
 * The fields of a member that asks. The same user with the same subprotocol may repeat a request on another connection.
 */
export type Asker = Pick<Member, "connection" | "handshake" | "open" | "user">;

/** Somebody who waits for the decision on a request that somebody else is handling. */
interface Waiter<A> {
  /** The other node that waits; `undefined` for a member of this node. */
  readonly node: string | undefined;
  /** The member that waits, with its packet. */
  readonly local?: { readonly asker: A; readonly packet: EventPacket };
  readonly answer: (receipt: Receipt) => void;
}

/** A request that is being handled. */
interface Running<A> {
  /** The packet of the request that is being handled; `undefined` while another node handles it. */
  packet: EventPacket | undefined;
  /** The other node that handles it. */
  node: string | undefined;
  /** The share in which a reply that another node gives is kept. */
  readonly owner: string;
  /** Whether it is not handled yet, because another node is asked about it. */
  isAsking: boolean;
  /** How often in a row the node that handles it has been heard since that node has said so last. */
  signs: number;
  /** All members that asked while it was handled here. A network may deliver the first request after the repeated one. */
  readonly askers: Set<A>;
  waiters: Waiter<A>[];
}

/**
 * The most connections that get the reply to one request. An honest client has one, and perhaps some whose loss was not
 * noticed yet.
 */
const MAX_ASKERS = 16;

/** The signs of life of a node, counted at equal intervals, between the first and the last of which a lease passes. */
const SIGNS = 4;

/** The part of an owner's share that one reply may take. A longer one is not kept. */
const MAX_PART = 1 / 16;

const NEW: Receipt = { isNew: true };
const RUNNING: Receipt = { isNew: false };
const GONE: Receipt = { isNew: false, isGone: true };
const EXCESSIVE: Receipt = { isNew: false, isExcessive: true };

/**
 * Remembers the requests with a key, so that a client whose connection broke can repeat such a request and the hub does
 * not handle it twice. A request that is being handled here is never forgotten.
 */
export class Idempotency<A extends Asker> implements RepeatKeeper {
  readonly #clock: Clock;
  readonly #replies: KeptReplies;
  readonly #maxReplyBytes: number;
  readonly #running = new Map<string, Running<A>>();
  /** Those of them that other nodes handle. */
  readonly #elsewhere = new Map<string, Running<A>>();

  constructor(options: IdempotencyOptions, clock: Clock, counters: Pick<Counters, "answersForgotten">) {
    const { within, maxBytes, maxBytesPerOwner = Math.min(MAX_BYTES_PER_OWNER, maxBytes) } = options;
    this.#clock = clock;
    this.#maxReplyBytes = maxBytesPerOwner * MAX_PART;
    this.#replies = new KeptReplies({ within, maxBytes, maxBytesPerOwner }, counters);
  }

  /**
   * Registers a request that was received. A member that repeats a request which is being handled gets the reply, too.
   *
   * @param isAsking - whether another node is asked about a request that is new here. Default: `false`.
   */
  receive(asker: A, packet: EventPacket, isAsking = false): Receipt {
    const identity = identityOf(asker, packet);
    const running = this.#running.get(identity);
    if (running === undefined) {
      const kept = this.#find(identity);
      if (kept !== undefined) return kept;
      const begun = this.#begin(identity, packet, undefined, ownerOf(asker));
      begun.askers.add(asker);
      begun.isAsking = isAsking;
      return NEW;
    }
    if (running.node === undefined) return join(running.askers, asker) ? RUNNING : EXCESSIVE;
    if (running.waiters.length >= MAX_ASKERS) return EXCESSIVE;
    const later = new Promise<Receipt>((answer) => {
      running.waiters.push({ node: undefined, local: { asker, packet }, answer });
    });
    return { isNew: false, later };
  }

  /**
   * Keeps the reply to a request that was new. A reply that could not be encoded is `undefined`. Returns all members
   * that get the reply; only the one that asked, if this request was not the one that is being handled.
   */
  settle(asker: A, packet: EventPacket, frame: MessageFrame | undefined): Iterable<A> {
    const identity = identityOf(asker, packet);
    const running = this.#running.get(identity);
    if (running?.packet !== packet) return [asker];
    const isNeeded =
      (frame?.payload.length ?? 0) <= this.#maxReplyBytes || running.waiters.some(({ node }) => node === undefined);
    const reply = frame === undefined || !isNeeded ? undefined : copyOf(frame);
    this.#keep({ identity, owner: ownerOf(asker) }, reply);
    this.#end(identity, running, reply === undefined ? GONE : { isNew: false, reply });
    return running.askers;
  }

  /**
   * Notes that a request is new for the node that was asked as well.
   *
   * @param settled - called with the reply when the request has been handled; without one that is too long to be kept.
   */
  confirm(
    asker: A,
    packet: EventPacket,
    node: string,
    settled: (reply: string | Uint8Array | undefined) => void,
  ): void {
    const running = this.#running.get(identityOf(asker, packet));
    if (running?.packet !== packet) return;
    running.isAsking = false;
    running.waiters.push({ node, answer: (receipt) => settled(this.#forNode(receipt).reply) });
  }

  /**
   * Ends a request that was new here and is not, as another node knows. Returns the members that get the reply.
   */
  conclude(asker: A, packet: EventPacket, receipt: Receipt): Iterable<A> {
    const identity = identityOf(asker, packet);
    const running = this.#running.get(identity);
    if (running?.packet !== packet) return [asker];
    this.#end(identity, running, receipt);
    return running.askers;
  }

  ask({ identity, owner }: Repeatable, node: string, answer: (receipt: Receipt) => void): void {
    const running = this.#running.get(identity);
    if (running === undefined) {
      const kept = this.#find(identity);
      if (kept === undefined) this.#begin(identity, undefined, node, owner);
      answer(kept ?? NEW);
    } else if (running.node === node) {
      // It has not heard that it is to handle the request, or says that it still does.
      running.signs = 0;
      answer(NEW);
    } else if (running.isAsking || running.askers.size + running.waiters.length >= MAX_ASKERS) {
      // Two nodes that ask each other would wait for ever. No honest client makes them.
      answer(EXCESSIVE);
    } else {
      running.waiters.push({ node, answer: (receipt) => answer(this.#forNode(receipt)) });
    }
  }

  handled(repeatable: Repeatable, node: string, reply: string | Uint8Array | undefined): void {
    const { identity } = repeatable;
    const running = this.#running.get(identity);
    if (running !== undefined && running.node !== node) return;
    this.#keep(repeatable, reply);
    if (running !== undefined) this.#end(identity, running, reply === undefined ? GONE : { isNew: false, reply });
  }

  heard(nodes: ReadonlySet<string>): void {
    for (const [identity, running] of this.#elsewhere) {
      // After a silence, which may be an outage of this node, the other one is given the time to say so again.
      running.signs = running.node !== undefined && nodes.has(running.node) ? running.signs + 1 : 0;
      if (running.signs < SIGNS) continue;
      this.#keep({ identity, owner: running.owner }, undefined);
      this.#end(identity, running, GONE);
    }
  }

  gone(node: string): void {
    for (const [identity, running] of this.#running) {
      running.waiters = running.waiters.filter((waiter) => waiter.node !== node);
      if (running.node === node) this.#handOn(identity, running);
    }
  }

  #begin(identity: string, packet: EventPacket | undefined, node: string | undefined, owner: string): Running<A> {
    const running = { packet, node, owner, isAsking: false, signs: 0, askers: new Set<A>(), waiters: [] };
    this.#running.set(identity, running);
    if (node !== undefined) this.#elsewhere.set(identity, running);
    return running;
  }

  #end(identity: string, { waiters }: Running<A>, receipt: Receipt): void {
    this.#running.delete(identity);
    this.#elsewhere.delete(identity);
    for (const { answer } of waiters) answer(receipt);
  }

  /** Lets the next one that waits handle a request, because the node that handled it is gone. */
  #handOn(identity: string, running: Running<A>): void {
    this.#elsewhere.delete(identity);
    const next = running.waiters.shift();
    if (next === undefined) {
      this.#running.delete(identity);
      return;
    }
    running.node = next.node;
    running.signs = 0;
    running.packet = next.local?.packet;
    if (next.local !== undefined) running.askers.add(next.local.asker);
    if (next.node !== undefined) this.#elsewhere.set(identity, running);
    next.answer(NEW);
  }

  #find(identity: string): Receipt | undefined {
    const kept = this.#replies.find(identity, this.#clock.now());
    if (kept === undefined) return undefined;
    return kept.reply === undefined ? GONE : { isNew: false, reply: kept.reply };
  }

  /** Keeps a reply, or only the fact that there was one if it is too long. */
  #keep({ identity, owner }: Repeatable, reply: string | Uint8Array | undefined): void {
    if (this.#find(identity) !== undefined) return;
    this.#replies.keep(identity, owner, this.#kept(reply), this.#clock.now());
  }

  /**
   * Returns what another node is told: without a reply that is too long to be kept, because a client could fill the way to
   * the engine with what no node keeps.
   */
  #forNode(receipt: Receipt): Receipt {
    return receipt.reply !== undefined && this.#kept(receipt.reply) === undefined ? GONE : receipt;
  }

  /** Returns a reply that is short enough to be kept; otherwise `undefined`. */
  #kept(reply: string | Uint8Array | undefined): string | Uint8Array | undefined {
    return reply === undefined || bytesOf(reply) > this.#maxReplyBytes ? undefined : reply;
  }
}

/** Returns a copy of a reply, because a frame's bytes may be a small part of a large buffer. */
function copyOf({ binary, payload }: MessageFrame): string | Uint8Array {
  return binary ? Uint8Array.from(payload) : payload.toString();
}

function bytesOf(reply: string | Uint8Array): number {
  return typeof reply === "string" ? Buffer.byteLength(reply) : reply.byteLength;
}

/** Adds a member to those that asked, unless too many of them are connected. Returns whether it was added. */
function join<A extends Asker>(askers: Set<A>, asker: A): boolean {
  if (askers.has(asker)) return true;
  if (askers.size >= MAX_ASKERS) for (const other of askers) if (!other.open) askers.delete(other);
  if (askers.size >= MAX_ASKERS) return false;
  askers.add(asker);
  return true;
}

/** A character of keys that nobody can guess, which therefore count whoever the user is. */
const SECRET = "~";

/** The length that a key has at least which nobody can guess. */
const SECRET_LENGTH = 20;

/** Names a request for other nodes. */
export function repeatableOf(asker: Asker, packet: EventPacket): Repeatable {
  return { identity: identityOf(asker, packet), owner: ownerOf(asker) };
}

/**
 * Returns the identity of a request. A reply is bytes of one codec with one id, so these are in the identity. A key
 * belongs to its user, unless it is secret: a guest may be another user on every connection.
 */
function identityOf({ user, connection }: Asker, { event, id, key }: EventPacket): string {
  const isSecret = key !== undefined && key.length >= SECRET_LENGTH && key.includes(SECRET);
  const owner = isSecret ? null : user?.id;
  return JSON.stringify([key, id, event, owner, connection.protocol]);
}
