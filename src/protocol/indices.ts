/** The most levels to which the arrays and objects of a message may be nested, counting the packet itself. */
export const MAX_DEPTH = 512;

/**
 * The keys that look like array indices, of each object that is open while a message is weighed.
 *
 * V8 keeps such properties in an array: a first key "999" reserves room for every smaller index, and half as many
 * again, some 12 bytes for each. Beyond a gap of 1,024 it takes a hash table instead. `JSON.parse` builds the right one
 * at once; what copies an object, key by key, does not.
 */
export class Indices {
  readonly #counts = new Uint32Array(MAX_DEPTH + 1);
  readonly #least = new Float64Array(MAX_DEPTH + 1);
  readonly #greatest = new Float64Array(MAX_DEPTH + 1);

  /** Begins an object at a depth, from 1. */
  open(depth: number): void {
    this.#counts[depth] = 0;
  }

  /** Adds the key of at least one byte at these places in a message, if it looks like an index. */
  add(depth: number, message: Uint8Array, start: number, end: number): void {
    let index = 0;
    for (let at = start; at < end; at++) {
      const digit = (message[at] as number) - 0x30;
      if (digit >= 0 && digit <= 9 && at - start < MAX_DIGITS) {
        index = 10 * index + digit;
      } else if (isEscapedDigit(message, at)) {
        // What it is an escape of is not worth knowing: these two are the worst of any.
        this.#count(depth, 0);
        index = 4000;
        break;
      } else return;
    }
    this.#count(depth, index);
  }

  /** Returns what the keys at a depth that look like indices take, in bytes. */
  weight(depth: number): number {
    const count = this.#counts[depth] as number;
    if (count === 0) return 0;
    const array = 160 + 12 * (this.#greatest[depth] as number);
    const table = 240 + 96 * count;
    if ((this.#greatest[depth] as number) < 36) return array;
    if ((this.#least[depth] as number) >= 1024) return table;
    return Math.max(table, Math.min(array, 18_500 * count, 40_300 + 216 * count));
  }

  #count(depth: number, index: number): void {
    const isFirst = this.#counts[depth] === 0;
    this.#counts[depth] = (this.#counts[depth] as number) + 1;
    if (isFirst || index < (this.#least[depth] as number)) this.#least[depth] = index;
    if (isFirst || index > (this.#greatest[depth] as number)) this.#greatest[depth] = index;
  }
}

/** The most digits of an array index. */
const MAX_DIGITS = 10;

/** Returns whether an escape of JSON, such as `\u0039`, stands for a digit. */
function isEscapedDigit(message: Uint8Array, at: number): boolean {
  return (
    message[at] === 0x5c &&
    message[at + 1] === 0x75 &&
    message[at + 2] === 0x30 &&
    message[at + 3] === 0x30 &&
    message[at + 4] === 0x33
  );
}
