import type { Buffer } from "node:buffer";
import type { FrameSequence } from "../transports/transport.ts";
import { joinBytes } from "./batch.ts";
import type { OutgoingFrame } from "./outgoing-frame.ts";

/**
 * Frames held back for one socket because its transport is congested.
 *
 * A backlog is no batch: a link of a batch keeps its successors alive, while the frames of a congested socket have to
 * be its own so that their number of bytes can be bounded.
 */
export class Backlog {
  /** The frames in order, with holes where one was superseded or taken. */
  #frames: (OutgoingFrame | undefined)[] = [];
  /** The place before which all frames have been taken. */
  #head = 0;
  #count = 0;
  #byteLength = 0;
  /** The place of the frame of each key. */
  #places: Map<string, number> | undefined;
  /** Number of messages that were dropped behind the last frame; the next notice tells the client. */
  dropped = 0;

  push(frame: OutgoingFrame): void {
    const key = frame.overload?.key;
    if (key !== undefined) (this.#places ??= new Map()).set(key, this.#frames.length);
    this.#frames.push(frame);
    this.#count++;
    this.#byteLength += frame.bytes.length;
  }

  /** Removes the frame with this key. Returns whether there was one. */
  supersede(key: string): boolean {
    const place = this.#places?.get(key);
    if (place === undefined) return false;
    this.#places?.delete(key);
    this.#remove(place);
    this.#closeHoles();
    return true;
  }

  /**
   * Removes and returns the first frames: as many as fit into `most` bytes, but at least one. There must be a frame.
   */
  take(most: number): Portion {
    const taken: OutgoingFrame[] = [];
    let byteLength = 0;
    while (this.#head < this.#frames.length) {
      const frame = this.#frames[this.#head];
      if (frame !== undefined) {
        if (taken.length > 0 && byteLength + frame.bytes.length > most) break;
        taken.push(frame);
        byteLength += frame.bytes.length;
        const key = frame.overload?.key;
        if (key !== undefined && this.#places?.get(key) === this.#head) this.#places.delete(key);
        this.#remove(this.#head);
      }
      this.#head++;
    }
    this.#closeHoles();
    return new Portion(taken, byteLength);
  }

  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  #remove(place: number): void {
    this.#byteLength -= this.#frames[place]?.bytes.length ?? 0;
    this.#frames[place] = undefined;
    this.#count--;
  }

  /** Closes the holes if they outnumber the frames, so that they never add up, however often a key is used again. */
  #closeHoles(): void {
    if (this.#frames.length <= 2 * this.#count) return;
    const frames = this.#frames.filter((frame) => frame !== undefined);
    this.#frames = frames;
    this.#head = 0;
    for (const [place, { overload }] of frames.entries()) {
      if (overload?.key !== undefined && this.#places?.has(overload.key) === true) {
        this.#places.set(overload.key, place);
      }
    }
  }
}

/** Frames that were taken out of a backlog. */
class Portion implements FrameSequence {
  readonly frames: readonly OutgoingFrame[];
  readonly byteLength: number;
  #bytes: Buffer | undefined;

  constructor(frames: readonly OutgoingFrame[], byteLength: number) {
    this.frames = frames;
    this.byteLength = byteLength;
  }

  get count(): number {
    return this.frames.length;
  }

  get bytes(): Buffer {
    return (this.#bytes ??= joinBytes(this.frames, this.byteLength));
  }
}
