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
export class Backlog implements FrameSequence {
  /** The frames in order, with holes where one was superseded. */
  #frames: (OutgoingFrame | undefined)[] = [];
  #holes = 0;
  #byteLength = 0;
  /** The place of the frame of each key. */
  #places: Map<string, number> | undefined;
  /** Number of messages that were dropped behind the last frame; the next notice tells the client. */
  dropped = 0;

  push(frame: OutgoingFrame): void {
    const key = frame.overload?.key;
    if (key !== undefined) (this.#places ??= new Map()).set(key, this.#frames.length);
    this.#frames.push(frame);
    this.#byteLength += frame.bytes.length;
  }

  /** Removes the frame with this key. Returns whether there was one. */
  supersede(key: string): boolean {
    const place = this.#places?.get(key);
    const frame = place === undefined ? undefined : this.#frames[place];
    if (place === undefined || frame === undefined) return false;
    this.#places?.delete(key);
    this.#frames[place] = undefined;
    this.#byteLength -= frame.bytes.length;
    this.#holes++;
    if (this.#holes > this.#frames.length >> 1) this.#close();
    return true;
  }

  get count(): number {
    return this.#frames.length - this.#holes;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  get frames(): readonly OutgoingFrame[] {
    return this.#frames.filter((frame) => frame !== undefined);
  }

  get bytes(): Buffer {
    return joinBytes(this.frames, this.#byteLength);
  }

  /** Closes the holes, which must not outnumber the frames, however often a key is used again. */
  #close(): void {
    const frames = this.frames;
    this.#frames = [...frames];
    this.#holes = 0;
    for (const [place, { overload }] of frames.entries()) {
      if (overload?.key !== undefined && this.#places?.has(overload.key) === true) {
        this.#places.set(overload.key, place);
      }
    }
  }
}
