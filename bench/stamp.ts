/** Digits that JSON leaves alone, six bits each. */
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NO_DIGIT = 255;
const VALUES: Uint8Array = new Uint8Array(256).fill(NO_DIGIT);
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

/** Whether there are nothing but a stamp's digits from `offset` on. */
export function isStampAt(bytes: Uint8Array, offset: number): boolean {
  for (let index = offset; index < offset + STAMP_LENGTH; index++) {
    if (valueAt(bytes, index) === NO_DIGIT) return false;
  }
  return true;
}

/** The stream of the stamp that begins at `offset`. */
export function streamAt(bytes: Uint8Array, offset: number): number {
  return (valueAt(bytes, offset) << 12) | (valueAt(bytes, offset + 1) << 6) | valueAt(bytes, offset + 2);
}

export function sequenceAt(bytes: Uint8Array, offset: number): number {
  return fiveAt(bytes, offset + STREAM_DIGITS);
}

/** In microseconds, modulo {@link TIME_MODULUS}. */
export function timeAt(bytes: Uint8Array, offset: number): number {
  const time = offset + STREAM_DIGITS + SEQUENCE_DIGITS;
  return valueAt(bytes, time) * 64 ** (TIME_DIGITS - 1) + fiveAt(bytes, time + 1);
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

/** Five digits: 30 bits. Written out, because this is done for every message that a receiver reads. */
function fiveAt(bytes: Uint8Array, offset: number): number {
  return (
    (valueAt(bytes, offset) << 24) |
    (valueAt(bytes, offset + 1) << 18) |
    (valueAt(bytes, offset + 2) << 12) |
    (valueAt(bytes, offset + 3) << 6) |
    valueAt(bytes, offset + 4)
  );
}

function valueAt(bytes: Uint8Array, offset: number): number {
  return VALUES[bytes[offset] as number] as number;
}
