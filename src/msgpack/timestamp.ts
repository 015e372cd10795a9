import { PacketError } from "../protocol/packet.ts";

/** The extension type of a point in time, which MessagePack itself defines. */
export const TIMESTAMP_EXTENSION = -1;

/** The most that a `Date` can be away from 1970, in milliseconds. */
const MAX_TIME = 8_640_000_000_000_000;

/**
 * Reads the payload of a timestamp as a `Date`, rounded down to milliseconds.
 *
 * @throws {PacketError} if the payload has a wrong length or range.
 */
export function timestamp(view: DataView, start: number, length: number): Date {
  if (length === 4) return date(view.getUint32(start), 0);
  if (length === 8) {
    const high = view.getUint32(start);
    return date((high & 0x3) * 2 ** 32 + view.getUint32(start + 4), high >>> 2);
  }
  if (length === 12) return date(Number(view.getBigInt64(start + 4)), view.getUint32(start));
  throw new PacketError("The message has a MessagePack timestamp that is not of 4, 8 or 12 bytes.");
}

function date(seconds: number, nanoseconds: number): Date {
  const time = seconds * 1000 + Math.floor(nanoseconds / 1_000_000);
  if (nanoseconds > 999_999_999 || Math.abs(time) > MAX_TIME) {
    throw new PacketError("The message has a MessagePack timestamp that is out of range.");
  }
  return new Date(time);
}
