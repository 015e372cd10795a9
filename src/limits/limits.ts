import { getHeapStatistics } from "node:v8";
import { isCount, isObject, type Options } from "../checks/option-rules.ts";
import type { Rate } from "./token-bucket.ts";

/** Limits of one socket. The defaults are far above the needs of a usual application. */
export interface Limits {
  /**
   * Messages from the client, control frames included: `{ perSecond: 500, burst: 2_000 }`. Above, messages wait until
   * the rate allows them.
   */
  readonly messages: Rate;
  /**
   * Bytes of these messages, likewise: `{ perSecond: 4 MiB, burst: 2 MiB }`. A message whose data takes more than three
   * times its bytes of memory counts a third of that.
   */
  readonly bytes: Rate;
  /**
   * Messages that are refused because the client is at fault, such as packets that cannot be decoded or unknown events:
   * `{ perSecond: 1, burst: 50 }`. A client that has spent them is closed with 4005.
   */
  readonly violations: Rate;
  /**
   * Bytes of recorded events that are sent to the client again: `{ perSecond: 1 MiB, burst: 16 MiB }`. Above, what it has
   * missed waits until the rate allows it. What the client has used up is not renewed by a new connection.
   */
  readonly replay: Rate;
  /**
   * Rooms that the socket is in at once: 2,000. Above, `socket.join` throws `ERR_HUB_LIMIT` and joins nothing; thrown in a
   * handler, it tells the client `too-many-rooms`. `target.join` leaves out the sockets concerned, and `error` names the
   * first of them.
   */
  readonly rooms: number;
  /**
   * Length of a room's name, in UTF-16 code units: 256. Above, the application gets `ERR_HUB_ROOM_NAME`, and a client
   * `invalid-data`.
   */
  readonly roomNameLength: number;
  /**
   * Messages of the client that asynchronous handlers are at work on: 1,000. Further ones wait. While more than
   * `waitingBytes` wait, those that have waited for ten seconds are refused with `too-many-requests`.
   */
  readonly pendingRequests: number;
  /** The memory that the data of these messages takes, in bytes, likewise: 16 MiB. A single message may take more. */
  readonly pendingBytes: number;
  /**
   * The bytes of messages of the client that wait: 2 MiB and 64 KiB. On `ws`, the client is not read from while more
   * wait; and it is closed with 4005 if what was read already makes 4 MiB more; on `uws`, it is closed at once. What waits
   * for `joinable` alone is handled before that. The library's client is told an eighth of this as its window, and keeps
   * to it, so that this happens to no other.
   */
  readonly waitingBytes: number;
  /** Handlers of one socket, and listeners of one event of the hub: 1,000. More are a leak: `ERR_HUB_LIMIT`. */
  readonly listeners: number;
}

const MIB = 1024 * 1024;

const DEFAULT_LIMITS: Limits = {
  messages: { perSecond: 500, burst: 2_000 },
  bytes: { perSecond: 4 * MIB, burst: 2 * MIB },
  violations: { perSecond: 1, burst: 50 },
  replay: { perSecond: MIB, burst: 16 * MIB },
  rooms: 2_000,
  roomNameLength: 256,
  pendingRequests: 1_000,
  pendingBytes: 16 * MIB,
  waitingBytes: 2 * MIB + 64 * 1024,
  listeners: 1_000,
};

/**
 * Returns the window in the welcome: a client may send one more message, of any size, while it is no more bytes than this
 * ahead of what was taken from it. The rest of `waitingBytes` is for that message, and for what a client may send at any
 * time: its replies, its signs of life, and the rooms that it asks for at the beginning.
 */
export function windowOf({ waitingBytes }: Limits): number {
  return Math.floor(waitingBytes / 8);
}

/** The limits of one socket, and of all sockets together. */
export interface LimitSettings {
  readonly limits: Limits;

  /**
   * The most memory that the data of all messages takes that asynchronous handlers are at work on, in bytes, also of
   * sockets that have ended. Further messages wait, as above `pendingBytes`. One user, or one address, may use half of
   * what is free. The bytes of messages that wait have a second budget of this size, by the same rule: a
   * client whose message has no room in it is closed with 4005, unless the message waits for `joinable` alone.
   *
   * Default: a quarter of the heap of Node.js.
   */
  readonly maxPendingBytes: number;
}

export const limitOptions: Options<LimitSettings> = {
  limits: {
    default: DEFAULT_LIMITS,
    rule: [
      "an object with some of messages, bytes, violations and replay, each { perSecond, burst }, and of rooms, roomNameLength, " +
        "pendingRequests, pendingBytes, waitingBytes and listeners, each a whole number from 1",
      areLimits,
    ],
    isPartial: true,
  },
  maxPendingBytes: {
    default: Math.floor(getHeapStatistics().heap_size_limit / 4),
    rule: ["a whole number of bytes from 1", isCount],
  },
};

/** Returns whether the value is an object of valid {@link Limits}. */
function areLimits(value: unknown): boolean {
  if (!isObject(value)) return false;
  return Object.entries(value).every(([name, limit]) => {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) return false;
    const usual = DEFAULT_LIMITS[name as keyof Limits];
    return limit === undefined || (typeof usual === "number" ? isCount(limit) : isRate(limit));
  });
}

function isRate(value: unknown): boolean {
  if (!isObject(value) || Object.keys(value).some((key) => key !== "perSecond" && key !== "burst")) return false;
  const { perSecond, burst } = value;
  return typeof perSecond === "number" && perSecond > 0 && Number.isFinite(perSecond) && isCount(burst);
}
