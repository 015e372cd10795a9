import { isCount, isObject, type Options } from "../checks/option-rules.ts";
import type { Rate } from "./token-bucket.ts";

/** What one socket may do and take. The defaults are far above what an application usually needs. */
export interface Limits {
  /**
   * Messages from the client: `{ perSecond: 1_000, burst: 10_000 }`. A message over the limit is still handled, and the client
   * is warned with `hub:error` (`too-fast`); when the client owes another `burst`, it is closed with 4005.
   */
  readonly messages: Rate;
  /** Bytes of these messages, likewise: `{ perSecond: 4 MiB, burst: 32 MiB }`. */
  readonly bytes: Rate;
  /**
   * Messages that are refused because the client is at fault, such as packets that cannot be decoded or unknown events:
   * `{ perSecond: 1, burst: 50 }`. A client that has spent them is closed with 4005.
   */
  readonly violations: Rate;
  /** Rooms that the socket is in at once: 2,000, with which the longest names take 4 MB. */
  readonly rooms: number;
  /** Length of a room's name, in UTF-16 code units: 256. The limit also holds where the application names a room. */
  readonly roomNameLength: number;
  /** Messages of the client that asynchronous handlers are at work on: 1,000. One more is refused. */
  readonly pendingRequests: number;
  /** Handlers of one socket, and listeners of one event of the hub: 1,000. More are a leak. */
  readonly listeners: number;
}

const MIB = 1024 * 1024;

const DEFAULT_LIMITS: Limits = {
  messages: { perSecond: 1_000, burst: 10_000 },
  bytes: { perSecond: 4 * MIB, burst: 32 * MIB },
  violations: { perSecond: 1, burst: 50 },
  rooms: 2_000,
  roomNameLength: 256,
  pendingRequests: 1_000,
  listeners: 1_000,
};

/** What one socket may do and take. */
export interface LimitSettings {
  readonly limits: Limits;
}

export const limitOptions: Options<LimitSettings> = {
  limits: {
    default: DEFAULT_LIMITS,
    rule: [
      "an object with some of messages, bytes and violations, each { perSecond, burst }, and of rooms, roomNameLength, " +
        "pendingRequests and listeners, each a whole number from 1",
      areLimits,
    ],
    isPartial: true,
  },
};

/** Whether the value is some of the {@link Limits}, each of them possible. */
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
