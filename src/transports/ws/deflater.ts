import { Buffer } from "node:buffer";
import { constants, deflateRawSync } from "node:zlib";
import type { FrameSequence, MessageFrame } from "../transport.ts";
import { Frame } from "../frame.ts";

/** Marks a message as compressed (RFC 7692 section 6). */
const RSV1 = 0x40;

/** The empty block that a flush ends with, and that is left off (RFC 7692 section 7.2.1). */
const TAIL_LENGTH = 4;

/** Smaller payloads stay as they are: without the messages before them, there is little in them that repeats. */
const MIN_LENGTH = 256;

/** Payloads from here on are compressed for speed rather than for size: the event loop waits for it. */
const LARGE_LENGTH = 32 * 1024;

/** In a raw stream zlib cannot keep to the smallest window that RFC 7692 knows, which is 8. */
export const MIN_WINDOW_BITS = 9;

/**
 * Compresses the messages of a server for clients that agreed on permessage-deflate (RFC 7692) with
 * `server_no_context_takeover` and the same window.
 *
 * No message then refers to an earlier one. So each is compressed once, when it is first written, and any number of
 * connections can share the bytes. They are never more than those of the frames as they came.
 */
export class Deflater {
  readonly #windowBits: number;
  readonly #frames = new WeakMap<MessageFrame, Buffer>();
  readonly #sequences = new WeakMap<FrameSequence, Buffer>();

  /** @param windowBits - what the client agreed on, from {@link MIN_WINDOW_BITS} to 15. */
  constructor(windowBits: number) {
    this.#windowBits = windowBits;
  }

  /** All frames of the sequence as one run of bytes, joined at the first use. */
  bytesOf(sequence: FrameSequence): Buffer {
    // Then no frame in it is worth compressing, either.
    if (sequence.byteLength < MIN_LENGTH) return sequence.bytes;
    let bytes = this.#sequences.get(sequence);
    if (bytes === undefined) this.#sequences.set(sequence, (bytes = this.#join(sequence)));
    return bytes;
  }

  #join(sequence: FrameSequence): Buffer {
    const { frames } = sequence;
    const parts = frames.map((frame) => this.#deflated(frame));
    // Where nothing is smaller, the bytes are those that go to clients without compression, too.
    if (parts.every((part, index) => part === frames[index]?.bytes)) return sequence.bytes;
    const [only] = parts;
    return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
  }

  #deflated(frame: MessageFrame): Buffer {
    if (frame.payload.length < MIN_LENGTH) return frame.bytes;
    let bytes = this.#frames.get(frame);
    if (bytes === undefined) this.#frames.set(frame, (bytes = this.#deflate(frame)));
    return bytes;
  }

  #deflate({ payload, bytes }: MessageFrame): Buffer {
    const stream = deflateRawSync(payload, {
      windowBits: this.#windowBits,
      level: payload.length < LARGE_LENGTH ? constants.Z_DEFAULT_COMPRESSION : constants.Z_BEST_SPEED,
      finishFlush: constants.Z_SYNC_FLUSH,
      // What does not fit into one chunk is not used.
      chunkSize: payload.length,
    });
    const deflated = new Frame(stream.subarray(0, -TAIL_LENGTH)).bytes;
    if (deflated.length >= bytes.length) return bytes;
    // The rest of the first byte, the opcode, is the message's.
    deflated[0] = RSV1 | (bytes[0] ?? 0);
    return deflated;
  }
}
