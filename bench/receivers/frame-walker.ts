import { Buffer } from "node:buffer";
import { TAIL_LENGTH } from "../envelope.ts";
import { STAMP_LENGTH } from "../stamp.ts";

/** First bytes of the frames that a server may send: whole messages, and control frames. */
const TEXT = 0x81;
const COMPRESSED_TEXT = 0xc1;
const CLOSE = 0x88;
const PING = 0x89;
const PONG = 0x8a;

const LENGTH_16 = 126;
const LENGTH_64 = 127;
const LONGEST_CONTROL = 125;

/** No message of the benchmark comes near; what claims to be longer is no frame. */
const LONGEST = 2 ** 26;

/** How much of the end of a message is handed over at least. */
const END_LENGTH = STAMP_LENGTH + TAIL_LENGTH;

/** What is done with the frames. The bytes are only lent. */
export interface FrameHandler {
  /**
   * A text message: at least its last {@link STAMP_LENGTH} + {@link TAIL_LENGTH} bytes, or all where it is shorter.
   *
   * @param length - of the whole message.
   */
  message(bytes: Buffer, start: number, end: number, length: number): void;
  compressed(payload: Buffer): void;
  ping(payload: Buffer): void;
  close(payload: Buffer): void;
  /** Something that no server of the benchmark sends. */
  malformed(): void;
}

/**
 * Finds the frames of a server (RFC 6455 section 5.2) in what is read. The bytes may be cut anywhere: of a frame that a
 * read does not hold whole only what will be needed is copied.
 */
export class FrameWalker {
  /** Whether messages are handed over from their first byte on even if they come in pieces. */
  whole = false;
  readonly #handler: FrameHandler;
  /** Of the frame that is not whole yet. */
  readonly #header: Buffer = Buffer.alloc(10);
  #headerLength = 0;
  #kept: Buffer = NOTHING;
  /** Payload bytes that have come, or -1 while the header is not whole. */
  #arrived = -1;
  #lost = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** The next bytes: those of `bytes` from `start` up to `end`. */
  walk(bytes: Buffer, start: number, end: number): void {
    let offset = this.#headerLength === 0 ? start : this.#resume(bytes, start, end);
    while (offset + 2 <= end) {
      let length = bytes[offset + 1] as number;
      let payload = offset + 2;
      if (length >= LENGTH_16) {
        payload = offset + headerLengthOf(length);
        if (payload > end) break;
        length = payloadLength(bytes, offset);
      }
      const next = payload + length;
      if (next > end) break;
      const first = bytes[offset] as number;
      if (first === TEXT) this.#handler.message(bytes, payload, next, length);
      else this.#other(first, bytes, payload, next);
      offset = next;
    }
    if (offset < end) this.#resume(bytes, offset, end);
  }

  #other(first: number, bytes: Buffer, start: number, end: number): void {
    if (first === COMPRESSED_TEXT) this.#handler.compressed(bytes.subarray(start, end));
    else if (end - start > LONGEST_CONTROL) this.#handler.malformed();
    else if (first === PING) this.#handler.ping(bytes.subarray(start, end));
    else if (first === CLOSE) this.#handler.close(bytes.subarray(start, end));
    // A pong that nobody asked for is allowed (RFC 6455 section 5.5.3).
    else if (first !== PONG) this.#handler.malformed();
  }

  /** Goes on with the frame that is not whole; returns where the next one begins. */
  #resume(bytes: Buffer, start: number, end: number): number {
    if (this.#lost) return end;
    let offset = start;
    if (this.#arrived === -1) {
      offset = this.#takeHeader(bytes, start, end);
      if (this.#arrived === -1) return end;
    }
    const length = payloadLength(this.#header, 0);
    const skipped = length - this.#kept.length;
    const taken = Math.min(length - this.#arrived, end - offset);
    const wanted = Math.max(this.#arrived, skipped);
    const from = offset + wanted - this.#arrived;
    if (from < offset + taken) bytes.copy(this.#kept, wanted - skipped, from, offset + taken);
    this.#arrived += taken;
    if (this.#arrived === length) this.#finish();
    return offset + taken;
  }

  #takeHeader(bytes: Buffer, start: number, end: number): number {
    const header = this.#header;
    let offset = start;
    while (offset < end && (this.#headerLength < 2 || this.#headerLength < headerLengthOf(header[1] as number))) {
      header[this.#headerLength++] = bytes[offset++] as number;
    }
    if (this.#headerLength < 2 || this.#headerLength < headerLengthOf(header[1] as number)) return offset;
    const length = payloadLength(header, 0);
    if (length > LONGEST) {
      // Where the next frame begins cannot be known any more.
      this.#lost = true;
      this.#handler.malformed();
      return end;
    }
    this.#arrived = 0;
    this.#kept = Buffer.allocUnsafe(Math.min(length, this.#needed(header[0] as number)));
    return offset;
  }

  #needed(first: number): number {
    if (first === COMPRESSED_TEXT || (first === TEXT && this.whole)) return LONGEST;
    return first === TEXT ? END_LENGTH : LONGEST_CONTROL + 1;
  }

  #finish(): void {
    const kept = this.#kept;
    const first = this.#header[0] as number;
    const length = this.#arrived;
    this.#headerLength = 0;
    this.#arrived = -1;
    this.#kept = NOTHING;
    if (first === TEXT) this.#handler.message(kept, 0, kept.length, length);
    else this.#other(first, kept, 0, kept.length);
  }
}

const NOTHING: Buffer = Buffer.alloc(0);

/** With the second byte of a frame; a masked one, which a server must not send, has no length that could be believed. */
function headerLengthOf(second: number): number {
  return second === LENGTH_16 ? 4 : second === LENGTH_64 ? 10 : 2;
}

function payloadLength(bytes: Buffer, offset: number): number {
  const second = bytes[offset + 1] as number;
  if (second < LENGTH_16) return second;
  if (second === LENGTH_16) return bytes.readUInt16BE(offset + 2);
  if (second === LENGTH_64) return bytes.readUInt32BE(offset + 2) * 2 ** 32 + bytes.readUInt32BE(offset + 6);
  return Number.POSITIVE_INFINITY;
}
