import { Buffer } from "node:buffer";
import type { Dialect } from "./peers/peer.ts";
import { STAMP_LENGTH } from "./stamp.ts";

/** Bytes that follow the body in every envelope: `"}` or `"]`. */
export const TAIL_LENGTH = 2;

/**
 * What a client receives: the hub's event as its own codec writes it, which the raw peers imitate, or that of Socket.IO.
 *
 * @param room - absent where a message goes to more than one.
 * @param body - letters and digits only: nothing that JSON would escape.
 */
export function envelope(dialect: Dialect, room: string | undefined, body: string): string {
  if (dialect === "engine.io") return `42["m","${body}"]`;
  return room === undefined
    ? `{"event":"m","data":"${body}"}`
    : `{"event":"m","room":${JSON.stringify(room)},"data":"${body}"}`;
}

/** What a client sends, for the others in its first room to get the same body in an {@link envelope}. */
export function spokenEnvelope(dialect: Dialect, body: string): string {
  return dialect === "engine.io" ? `42["say","${body}"]` : `{"event":"say","data":"${body}"}`;
}

/** Bytes of an {@link envelope} without its body. */
function overhead(dialect: Dialect, room: string | undefined): number {
  return Buffer.byteLength(envelope(dialect, room, ""));
}

/**
 * How long a body has to be for the message to have `size` bytes.
 *
 * @throws where not even the stamp would fit.
 */
export function bodyLength(dialect: Dialect, room: string | undefined, size: number): number {
  const length = size - overhead(dialect, room);
  if (length >= STAMP_LENGTH) return length;
  throw new RangeError(
    `A message in this envelope has at least ${overhead(dialect, room) + STAMP_LENGTH} bytes, ${size} were asked for.`,
  );
}
