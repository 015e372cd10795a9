import { Buffer } from "node:buffer";
import { Chunk } from "./chunk.ts";

/** The size of a chunk, in bytes. An entry that is larger has a chunk of its own. */
const CHUNK_BYTES = 16 * 1024;

/** The size of the first chunk. Each further one is twice as large, so that a room with little in it takes little. */
const FIRST_CHUNK_BYTES = 512;

/** One event of a record. */
export interface Entry {
  /** The position of the event, which grows from event to event. */
  readonly at: number;
  /** The time of day when the event was recorded, in milliseconds since 1970. */
  readonly time: number;
  /** The frame in the codec that was asked for, as a view of the ring's memory. */
  readonly frame: Buffer;
  /** What else was recorded of the event; an empty text for nothing. */
  readonly note: string;
}

/** A frame with its header. */
interface Framed {
  readonly bytes: Uint8Array;
}

/** What a ring needs to know. */
export interface RingParts {
  /** Number of codecs, in each of which every event is kept. */
  readonly codecs: number;
  /** The most events. */
  readonly size: number;
  /** Whether the ring has to know the newest event of each key. */
  readonly keyed: boolean;
  /** Whether an event deletes the earlier one with the same key. */
  readonly keepsLatest: boolean;
  /** The position behind which the ring begins. Default: 0. */
  readonly start?: number | undefined;
  /** Called when the memory that the ring takes has changed, with the difference in bytes. */
  readonly sized: (difference: number) => void;
}

/**
 * The last events of a room, with positions that grow from event to event. The ring holds bytes only: it does not
 * know what they mean.
 */
export class Ring {
  readonly #parts: RingParts;
  /** The chunks, the oldest first. */
  #chunks: Chunk[] = [];
  /** The place in the first chunk before which all entries were trimmed. */
  #start = 0;
  #count = 0;
  /** Number of events without a frame. */
  #empty = 0;
  #deleted = 0;
  #head = 0;
  #floor = 0;
  #byteLength = 0;
  /** The position of the newest event of each key. */
  readonly #newest = new Map<string, number>();
  /** The keys of the events that have one, by position. */
  readonly #keys = new Map<number, string>();

  constructor(parts: RingParts) {
    this.#parts = parts;
    this.#head = this.#floor = parts.start ?? 0;
  }

  /** The position of the last event that was recorded; 0 before the first. */
  get head(): number {
    return this.#head;
  }

  /** The position behind which no event was trimmed: who is here can get all that it missed. */
  get floor(): number {
    return this.#floor;
  }

  /** Number of events. */
  get count(): number {
    return this.#count;
  }

  /** Number of bytes of memory that the events take. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /**
   * Appends an event, and trims what is too much.
   *
   * @param at - its position, which is behind {@link head}.
   */
  push(at: number, time: number, frames: readonly Framed[], note: string, key?: string): void {
    this.#head = at;
    let byteLength = note === "" ? 0 : Buffer.byteLength(note);
    for (const frame of frames) byteLength += frame.bytes.length;
    const chunk = this.#chunkFor(at, byteLength);
    this.#grow(chunk.begin(at, time));
    for (const frame of frames) chunk.add(frame.bytes);
    chunk.addText(note);
    this.#count++;
    if (frames[0]?.bytes.length === 0) this.#empty++;
    if (key !== undefined && this.#parts.keyed) this.#supersede(at, key);
    if (this.#count > this.#parts.size) this.#trimOldest();
  }

  /** Moves on to a position at which there is no event. */
  skip(at: number): void {
    this.#head = Math.max(this.#head, at);
  }

  /** Returns whether the event at this position is the newest with its key. An event without a key is not. */
  isNewest(at: number): boolean {
    const key = this.#keys.get(at);
    return key !== undefined && this.#newest.get(key) === at;
  }

  /** Returns the position before that of the last `count` events, not counting those without a frame. */
  before(count: number): number {
    let left = count;
    for (let index = this.#chunks.length - 1; index >= 0; index--) {
      const chunk = this.#chunks[index] as Chunk;
      const first = index === 0 ? this.#start : 0;
      // A client can ask for this as often as it joins: most chunks are counted, and not walked through.
      if (index > 0 && this.#empty === 0 && chunk.liveCount < left) {
        left -= chunk.liveCount;
        continue;
      }
      for (let place = chunk.count - 1; place >= first; place--) {
        if (chunk.isDeleted(place) || chunk.partOf(place, 0).length === 0) continue;
        if (--left === 0) return chunk.positionOf(place) - 1;
      }
    }
    return this.#floor;
  }

  /**
   * Returns the first events behind a position in one codec: as many as fit into `mostBytes`, but at least one if there is
   * any.
   */
  read(after: number, codec: number, mostBytes: number): Entry[] {
    const entries: Entry[] = [];
    let left = mostBytes;
    for (let index = this.#chunkAfter(after); index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index] as Chunk;
      const first = Math.max(chunk.placeAfter(after), index === 0 ? this.#start : 0);
      for (let place = first; place < chunk.count; place++) {
        if (chunk.isDeleted(place)) continue;
        const frame = chunk.partOf(place, codec);
        if (entries.length > 0 && frame.length > left) return entries;
        left -= frame.length;
        const note = chunk.partOf(place, this.#parts.codecs);
        const [at, time] = [chunk.positionOf(place), chunk.timeOf(place)];
        entries.push({ at, time, frame, note: note.length === 0 ? "" : note.toString() });
      }
    }
    return entries;
  }

  /** Trims all events of the oldest chunk. */
  trimChunk(): void {
    const [chunk] = this.#chunks;
    if (chunk === undefined) return;
    for (let place = this.#start; place < chunk.count; place++) this.#forget(chunk, place);
    this.#dropChunk(chunk);
  }

  /** Trims all events. */
  clear(): void {
    while (this.#chunks.length > 0) this.trimChunk();
    this.#floor = this.#head;
  }

  /** Returns the last chunk, or a new one if an entry with this position and size has no room there. */
  #chunkFor(at: number, byteLength: number): Chunk {
    const last = this.#chunks[this.#chunks.length - 1];
    if (last?.fits(at, byteLength) === true) return last;
    const usual = Math.min(FIRST_CHUNK_BYTES * 2 ** this.#chunks.length, CHUNK_BYTES);
    const chunk = new Chunk(Math.max(usual, byteLength), this.#parts.codecs + 1, at - 1);
    this.#chunks.push(chunk);
    this.#grow(chunk.byteLength);
    return chunk;
  }

  #supersede(at: number, key: string): void {
    const earlier = this.#newest.get(key);
    this.#newest.set(key, at);
    this.#keys.set(at, key);
    this.#grow(keyBytes(key));
    if (earlier === undefined || !this.#parts.keepsLatest) return;
    this.#keys.delete(earlier);
    this.#grow(-keyBytes(key));
    const chunk = this.#chunks[this.#chunkAfter(earlier - 1)] as Chunk;
    this.#grow(chunk.delete(chunk.placeAfter(earlier - 1)));
    this.#count--;
    this.#deleted++;
    if (this.#deleted > Math.max(this.#count, 64)) this.#compact();
  }

  /** Trims the oldest event, and what was deleted before it. */
  #trimOldest(): void {
    for (;;) {
      const [chunk] = this.#chunks;
      if (chunk === undefined) return;
      const wasDeleted = chunk.isDeleted(this.#start);
      this.#forget(chunk, this.#start++);
      if (this.#start === chunk.count) this.#dropChunk(chunk);
      if (!wasDeleted) return;
    }
  }

  #forget(chunk: Chunk, place: number): void {
    if (chunk.isDeleted(place)) {
      this.#deleted--;
      return;
    }
    const at = chunk.positionOf(place);
    this.#count--;
    if (chunk.partOf(place, 0).length === 0) this.#empty--;
    this.#floor = at;
    const key = this.#keys.get(at);
    if (key === undefined) return;
    this.#keys.delete(at);
    this.#grow(-keyBytes(key));
    if (this.#newest.get(key) === at) this.#newest.delete(key);
  }

  #dropChunk(chunk: Chunk): void {
    this.#chunks.shift();
    this.#start = 0;
    this.#grow(-chunk.byteLength);
  }

  /** Copies the events into new chunks without those that were deleted, so that they never take more than the others. */
  #compact(): void {
    const chunks = this.#chunks;
    const start = this.#start;
    this.#chunks = [];
    this.#start = 0;
    this.#deleted = 0;
    for (const [index, chunk] of chunks.entries()) {
      for (let place = index === 0 ? start : 0; place < chunk.count; place++) {
        if (chunk.isDeleted(place)) continue;
        const parts = Array.from({ length: this.#parts.codecs + 1 }, (_, part) => chunk.partOf(place, part));
        const at = chunk.positionOf(place);
        const target = this.#chunkFor(
          at,
          parts.reduce((sum, { length }) => sum + length, 0),
        );
        this.#grow(target.begin(at, chunk.timeOf(place)));
        for (const part of parts) target.add(part);
      }
      this.#grow(-chunk.byteLength);
    }
  }

  /** Returns the index of the first chunk with an entry behind this position. */
  #chunkAfter(position: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle] as Chunk).last > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #grow(difference: number): void {
    if (difference === 0) return;
    this.#byteLength += difference;
    this.#parts.sized(difference);
  }
}

/** The memory that a key takes, in bytes: its text, and its places in two maps. */
function keyBytes(key: string): number {
  return 2 * key.length + 128;
}
