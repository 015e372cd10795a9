import { isInteger, isObject, MAX_BYTES, MAX_DELAY, type Options } from "../checks/option-rules.ts";
import type { Counters } from "../counters.ts";
import type { Member } from "../members/member.ts";
import { ownerOf } from "../members/owner.ts";
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

/** The decision on a request that was received. */
export interface Receipt {
  /** Whether the request has to be handled. */
  readonly isNew: boolean;
  /** The reply that was given before. */
  readonly reply?: string | Uint8Array | undefined;
  /** Whether the request was handled before and its reply is not kept. */
  readonly isGone?: true;
  /** Whether the request is being handled and too many members wait for the reply, so that this one will not get it. */
  readonly isExcessive?: true;
}

/** A request that is being handled. */
interface Running<A> {
  /** The packet of the first request, which is the one that is being handled. */
  readonly packet: EventPacket;
  /** All members that asked. A network may deliver the first request after the repeated one. */
  readonly askers: Set<A>;
}

/**
 * The most connections that get the reply to one request. An honest client has one, and perhaps some whose loss was not
 * noticed yet.
 */
const MAX_ASKERS = 16;

/** The part of an owner's share that one reply may take. A longer one is not kept. */
const MAX_PART = 1 / 16;

const NEW: Receipt = { isNew: true };
const RUNNING: Receipt = { isNew: false };
const GONE: Receipt = { isNew: false, isGone: true };
const EXCESSIVE: Receipt = { isNew: false, isExcessive: true };

/**
 * Remembers the requests with a key, so that a client whose connection broke can repeat such a request and the hub does
 * not handle it twice. A request that is being handled is never forgotten.
 */
export class Idempotency<A extends Asker> {
  readonly #clock: Clock;
  readonly #replies: KeptReplies;
  readonly #maxReplyBytes: number;
  readonly #running = new Map<string, Running<A>>();

  constructor(options: IdempotencyOptions, clock: Clock, counters: Pick<Counters, "answersForgotten">) {
    const { within, maxBytes, maxBytesPerOwner = Math.min(MAX_BYTES_PER_OWNER, maxBytes) } = options;
    this.#clock = clock;
    this.#maxReplyBytes = maxBytesPerOwner * MAX_PART;
    this.#replies = new KeptReplies({ within, maxBytes, maxBytesPerOwner }, counters);
  }

  /**
   * Registers a request that was received. A member that repeats a request which is being handled gets the reply, too.
   */
  receive(asker: A, packet: EventPacket): Receipt {
    const identity = identityOf(asker, packet);
    const running = this.#running.get(identity);
    if (running !== undefined) return join(running.askers, asker) ? RUNNING : EXCESSIVE;
    const kept = this.#replies.find(identity, this.#clock.now());
    if (kept !== undefined) return kept.reply === undefined ? GONE : { isNew: false, reply: kept.reply };
    this.#running.set(identity, { packet, askers: new Set([asker]) });
    return NEW;
  }

  /**
   * Keeps the reply to a request that was new. A reply that could not be encoded is `undefined`. Returns all members
   * that get the reply; only the one that asked, if this request was not the one that is being handled.
   */
  settle(asker: A, packet: EventPacket, frame: MessageFrame | undefined): Iterable<A> {
    const identity = identityOf(asker, packet);
    const running = this.#running.get(identity);
    if (running?.packet !== packet) return [asker];
    this.#running.delete(identity);
    this.#replies.keep(identity, ownerOf(asker), this.#kept(frame), this.#clock.now());
    return running.askers;
  }

  /**
   * Returns a copy of a reply, because a frame's bytes may be a small part of a large buffer; `undefined` if it is too
   * long.
   */
  #kept(frame: MessageFrame | undefined): string | Uint8Array | undefined {
    if (frame === undefined || frame.payload.length > this.#maxReplyBytes) return undefined;
    return frame.binary ? Uint8Array.from(frame.payload) : frame.payload.toString();
  }
}

/** Adds a member to those that asked, unless too many of them are connected. Returns whether it was added. */
function join<A extends Asker>(askers: Set<A>, asker: A): boolean {
  if (askers.has(asker)) return true;
  if (askers.size >= MAX_ASKERS) for (const other of askers) if (!other.open) askers.delete(other);
  if (askers.size >= MAX_ASKERS) return false;
  askers.add(asker);
  return true;
}

/**
 * Returns the identity of a request. A key belongs to its user, and a reply is bytes of one codec with one id, so all
 * of these are in the identity.
 */
function identityOf({ user, connection }: Asker, { event, id, key }: EventPacket): string {
  return JSON.stringify([key, id, event, user?.id, connection.protocol]);
}
