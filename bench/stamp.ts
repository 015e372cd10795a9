/** Digits that JSON leaves alone, six bits each. */
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES: Uint8Array = new Uint8Array(256);
for (let value = 0; value < DIGITS.length; value++) VALUES[DIGITS.charCodeAt(value)] = value;

const STREAM_DIGITS = 3;
const SEQUENCE_DIGITS = 5;
const TIME_DIGITS = 6;

/** Bytes of a stamp. */
export const STAMP_LENGTH: number = STREAM_DIGITS + SEQUENCE_DIGITS + TIME_DIGITS;

/** Times are written modulo this many microseconds, 19 hours. */
export const TIME_MODULUS: number = 64 ** TIME_DIGITS;

/**
 * What every message of the benchmark ends with: its stream, its number in it, and when it was meant to leave.
 *
 * @param time - `process.hrtime`, in microseconds.
 */
export function stamp(stream: number, sequence: number, time: number): string {
  return digits(stream, STREAM_DIGITS) + digits(sequence, SEQUENCE_DIGITS) + digits(time % TIME_MODULUS, TIME_DIGITS);
}

/** The stream of the stamp that begins at `offset`. */
export function streamAt(bytes: Uint8Array, offset: number): number {
  return numberAt(bytes, offset, STREAM_DIGITS);
}

export function sequenceAt(bytes: Uint8Array, offset: number): number {
  return numberAt(bytes, offset + STREAM_DIGITS, SEQUENCE_DIGITS);
}

/** In microseconds, modulo {@link TIME_MODULUS}. */
export function timeAt(bytes: Uint8Array, offset: number): number {
  return numberAt(bytes, offset + STREAM_DIGITS + SEQUENCE_DIGITS, TIME_DIGITS);
}

/** The time now, as stamps have it. */
export function now(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanoseconds / 1e3);
}

function digits(value: number, length: number): string {
  let text = "";
  let rest = value;
  for (let digit = 0; digit < length; digit++) {
    text = DIGITS.charAt(rest % 64) + text;
    rest = Math.floor(rest / 64);
  }
  return text;
}

function numberAt(bytes: Uint8Array, offset: number, length: number): number {
  let value = 0;
  for (let index = offset; index < offset + length; index++) value = value * 64 + (VALUES[bytes[index] ?? 0] ?? 0);
  return value;
}
