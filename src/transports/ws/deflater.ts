import { Buffer } from "node:buffer";
import { constants, deflateRawSync } from "node:zlib";
import type { FrameSequence, MessageFrame } from "../transport.ts";
import { Frame } from "../frame.ts";

/** The bit that marks a message as compressed (RFC 7692 section 6). */
const RSV1 = 0x40;

/** The length of the empty block that a flush ends with. It is not sent (RFC 7692 section 7.2.1). */
const TAIL_LENGTH = 4;

/**
 * The length below which payloads stay as they are: without the context of earlier messages, little repeats in them.
 */
const MIN_LENGTH = 256;

/** The length from which payloads are compressed for speed rather than for size, because the event loop has to wait. */
const LARGE_LENGTH = 32 * 1024;

/** The smallest window that zlib can keep to in a raw stream. RFC 7692 allows 8 as well. */
export const MIN_WINDOW_BITS = 9;

/**
 * Compresses the messages of a server for clients that agreed on permessage-deflate (RFC 7692) with
 * `server_no_context_takeover` and the same window.
 *
 * No message then refers to an earlier one. So each message is compressed once, when it is first written, and any
 * number of connections can share the bytes. A message never becomes longer.
 */
export class Deflater {
  readonly #windowBits: number;
  readonly #frames = new WeakMap<MessageFrame, Buffer>();
  readonly #sequences = new WeakMap<FrameSequence, Buffer>();

  /** @param windowBits - the window that clients agreed on, from {@link MIN_WINDOW_BITS} to 15. */
  constructor(windowBits: number) {
    this.#windowBits = windowBits;
  }

  /** Compresses the frames of a sequence and joins them into one run of bytes, the first time it is written. */
  bytesOf(sequence: FrameSequence): Buffer {
    // No frame of so short a sequence is worth compressing.
    if (sequence.byteLength < MIN_LENGTH) return sequence.bytes;
    let bytes = this.#sequences.get(sequence);
    if (bytes === undefined) this.#sequences.set(sequence, (bytes = this.#join(sequence)));
    return bytes;
  }

  #join(sequence: FrameSequence): Buffer {
    const { frames } = sequence;
    const parts = frames.map((frame) => this.#deflated(frame));
    // If no frame became shorter, clients with and without compression can share the bytes.
    if (parts.every((part, index) => part === frames[index]?.bytes)) return sequence.bytes;
    const [only] = parts;
    return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
  }

  #deflated(frame: MessageFrame): Buffer {
    if (!frame.compress || frame.payload.length < MIN_LENGTH) return frame.bytes;
    let bytes = this.#frames.get(frame);
    if (bytes === undefined) this.#frames.set(frame, (bytes = this.#deflate(frame)));
    return bytes;
  }

  #deflate({ payload, bytes }: MessageFrame): Buffer {
    const stream = deflateRawSync(payload, {
      windowBits: this.#windowBits,
      level: payload.length < LARGE_LENGTH ? constants.Z_DEFAULT_COMPRESSION : constants.Z_BEST_SPEED,
      finishFlush: constants.Z_SYNC_FLUSH,
      // A result that does not fit into one chunk is longer than the payload, and is not used.
      chunkSize: payload.length,
    });
    const deflated = new Frame(stream.subarray(0, -TAIL_LENGTH)).bytes;
    if (deflated.length >= bytes.length) return bytes;
    // The rest of the first byte is the opcode of the message.
    deflated[0] = RSV1 | (bytes[0] ?? 0);
    return deflated;
  }
}
