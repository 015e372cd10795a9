import { Buffer } from "node:buffer";

/** The number of entries for which the index of a chunk has room at first. */
const FIRST_CAPACITY = 8;

/** The most by which a position can be behind that where its chunk begins: it has 32 bits in the index. */
const MAX_DISTANCE = 2 ** 32 - 1;

/**
 * A run of memory that holds entries one behind the other, and their index.
 *
 * The entries are bytes and the index is typed arrays: as objects, a million entries would be work for the garbage
 * collector at every turn. The memory is never used again for other entries, because frames that wait for a slow client
 * are views of it.
 */
export class Chunk {
  readonly #bytes: Buffer;
  /** Number of parts of an entry. */
  readonly #width: number;
  /** The position before that of the first entry: those in the index are counted from here. */
  readonly #base: number;
  #positions = new Uint32Array(FIRST_CAPACITY);
  #times = new Float64Array(FIRST_CAPACITY);
  /** The end of each part of each entry in the bytes. */
  #ends: Uint32Array;
  /** Whether each entry was deleted; absent while none was. */
  #deleted: Uint8Array | undefined;
  #count = 0;
  #deletedCount = 0;
  #used = 0;
  /** The index of the next part. */
  #part = 0;

  /** @param base - the position before that of the first entry. */
  constructor(capacity: number, width: number, base: number) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
    this.#width = width;
    this.#base = base;
    this.#ends = new Uint32Array(FIRST_CAPACITY * width);
  }

  /** Number of entries, those included that were deleted. */
  get count(): number {
    return this.#count;
  }

  /** Number of entries that were not deleted. */
  get liveCount(): number {
    return this.#count - this.#deletedCount;
  }

  /** Number of bytes of memory that the chunk takes. */
  get byteLength(): number {
    const index = this.#positions.byteLength + this.#times.byteLength + this.#ends.byteLength;
    return this.#bytes.length + index + (this.#deleted?.byteLength ?? 0);
  }

  /** The position of the last entry. */
  get last(): number {
    return this.positionOf(this.#count - 1);
  }

  positionOf(place: number): number {
    return this.#base + (this.#positions[place] as number);
  }

  timeOf(place: number): number {
    return this.#times[place] as number;
  }

  isDeleted(place: number): boolean {
    return this.#deleted?.[place] === 1;
  }

  /** Returns a part of an entry, as a view. */
  partOf(place: number, part: number): Buffer {
    const index = place * this.#width + part;
    return this.#bytes.subarray(index === 0 ? 0 : this.#ends[index - 1], this.#ends[index]);
  }

  /** Whether there is room for an entry with this position and so many bytes. */
  fits(position: number, byteLength: number): boolean {
    return this.#used + byteLength <= this.#bytes.length && position - this.#base <= MAX_DISTANCE;
  }

  /** Begins an entry, for whose parts there must be room. Returns the number of bytes that the index has grown by. */
  begin(position: number, time: number): number {
    const place = this.#count++;
    const growth = place === this.#positions.length ? this.#growIndex() : 0;
    this.#positions[place] = position - this.#base;
    this.#times[place] = time;
    this.#part = place * this.#width;
    return growth;
  }

  /** Appends the next part of the last entry. */
  add(part: Uint8Array): void {
    this.#bytes.set(part, this.#used);
    this.#used += part.length;
    this.#ends[this.#part++] = this.#used;
  }

  /** Appends the next part of the last entry, which is a text. */
  addText(part: string): void {
    if (part !== "") this.#used += this.#bytes.write(part, this.#used);
    this.#ends[this.#part++] = this.#used;
  }

  /** Deletes an entry. Returns the number of bytes that the index has grown by. */
  delete(place: number): number {
    const growth = this.#deleted === undefined ? this.#positions.length : 0;
    this.#deleted ??= new Uint8Array(this.#positions.length);
    this.#deleted[place] = 1;
    this.#deletedCount++;
    return growth;
  }

  /** Returns the place of the first entry behind this position; {@link count} if there is none. */
  placeAfter(position: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.positionOf(middle) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Makes the index as long as the entries will need that have the size of those before, and an eighth longer. */
  #growIndex(): number {
    const before = this.byteLength;
    const expected = Math.ceil((this.#count * this.#bytes.length * 9) / (8 * Math.max(this.#used, 1)));
    const capacity = Math.min(Math.max(expected, this.#count + 8), 2 * this.#count);
    this.#positions = grown(this.#positions, new Uint32Array(capacity));
    this.#times = grown(this.#times, new Float64Array(capacity));
    this.#ends = grown(this.#ends, new Uint32Array(capacity * this.#width));
    if (this.#deleted !== undefined) this.#deleted = grown(this.#deleted, new Uint8Array(capacity));
    return this.byteLength - before;
  }
}

function grown<A extends Uint8Array | Uint32Array | Float64Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
