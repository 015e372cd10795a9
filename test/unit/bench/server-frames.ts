import { envelope, bodyLength } from "../../../bench/envelope.ts";
import type { Dialect } from "../../../bench/peers/peer.ts";
import { stamp, STAMP_LENGTH } from "../../../bench/stamp.ts";

/** A frame of a server, right or wrong, written by the letter of RFC 6455 section 5.2. */
export function serverFrame(first: number, payload: string | Uint8Array = ""): Buffer {
  const bytes = Buffer.from(payload as string);
  const { length } = bytes;
  const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  header[0] = first;
  if (length < 126) header[1] = length;
  else if (length < 65_536) {
    header[1] = 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([header, bytes]);
}

/** The text of a message of the benchmark, of exactly `size` bytes. */
export function messageText(
  stream: number,
  sequence: number,
  { size = 64, time = 0, dialect = "websocket" }: { size?: number; time?: number; dialect?: Dialect } = {},
): string {
  const padding = "x".repeat(bodyLength(dialect, "r0", size) - STAMP_LENGTH);
  return envelope(dialect, "r0", padding + stamp(stream, sequence, time));
}

/** The pieces that the bytes fall into when they are cut at these offsets. */
export function cut(bytes: Buffer, offsets: readonly number[]): readonly Buffer[] {
  const ends = [...new Set(offsets.map((offset) => offset % bytes.length)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}
