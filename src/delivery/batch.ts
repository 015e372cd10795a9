import { Buffer } from "node:buffer";
import type { FrameSequence } from "../transports/transport.ts";
import type { OutgoingFrame } from "./outgoing-frame.ts";

/**
 * One link of a chain of frames that wait for the end of the turn of the event loop. A link stands for the whole
 * sequence up to and including itself.
 *
 * Sockets that are sent the same frames hold the same link, because `append` gives every caller with the same frame the
 * same successor. A broadcast to N members is then N pointer moves, and the bytes are joined once for each sequence
 * that really differs.
 */
export class Batch implements FrameSequence {
  readonly byteLength: number;
  readonly #previous: Batch | undefined;
  readonly #frame: OutgoingFrame | undefined;
  /** Number of frames in the sequence. */
  readonly count: number;
  #successor: Batch | undefined;
  #frames: readonly OutgoingFrame[] | undefined;
  #bytes: Buffer | undefined;

  /** Without arguments, creates the empty sequence at which the chains of a turn begin. */
  constructor(previous?: Batch, frame?: OutgoingFrame) {
    this.#previous = previous;
    this.#frame = frame;
    this.count = previous === undefined ? 0 : previous.count + 1;
    this.byteLength = previous === undefined || frame === undefined ? 0 : previous.byteLength + frame.bytes.length;
  }

  /**
   * Returns this sequence followed by `frame`.
   *
   * Remembering the latest successor is enough: a broadcast appends its one frame to all members before anything else
   * is sent, so an older successor is never asked for.
   */
  append(frame: OutgoingFrame): Batch {
    const successor = this.#successor;
    if (successor !== undefined && successor.#frame === frame) return successor;
    return (this.#successor = new Batch(this, frame));
  }

  get frames(): readonly OutgoingFrame[] {
    return (this.#frames ??= Batch.#collect(this));
  }

  get bytes(): Buffer {
    return (this.#bytes ??= joinBytes(this.frames, this.byteLength));
  }

  /** Collects the frames in a loop, because a turn may hold more links than the stack holds calls. */
  static #collect(last: Batch): readonly OutgoingFrame[] {
    const frames = Array.from<OutgoingFrame>({ length: last.count });
    for (let link: Batch | undefined = last; link !== undefined; link = link.#previous) {
      if (link.#frame !== undefined) frames[link.count - 1] = link.#frame;
    }
    return frames;
  }
}

/** Joins frames into one run of bytes. A single frame is not copied. */
export function joinBytes(frames: readonly OutgoingFrame[], byteLength: number): Buffer {
  const [first] = frames;
  if (first !== undefined && frames.length === 1) return first.bytes;
  const joined = Buffer.allocUnsafe(byteLength);
  let offset = 0;
  for (const { bytes } of frames) {
    joined.set(bytes, offset);
    offset += bytes.length;
  }
  return joined;
}
