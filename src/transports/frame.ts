import { Buffer } from "node:buffer";
import type { MessageFrame } from "./transport.ts";

const FIN = 0x80;
const OPCODE_TEXT = 0x1;
const OPCODE_BINARY = 0x2;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** The bytes of a whole {@link Frame} that was built before. */
export class FrameBytes {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/**
 * An unfragmented, unmasked message frame as a server sends it (RFC 6455 section 5.2).
 *
 * The header is written in front of the payload at once, so that one frame is one run of bytes that any number of
 * connections can share.
 */
export class Frame implements MessageFrame {
  readonly bytes: Buffer;
  readonly binary: boolean;
  readonly compress: boolean;
  readonly #headerLength: number;
  #payload: Buffer | undefined;

  /**
   * Encodes a message. The data is copied, so the caller may change it afterwards. A {@link FrameBytes} is taken as it is.
   *
   * @param binary - whether the frame is binary. Default: `true` for bytes and `false` for a string; bytes may also be
   *   text in UTF-8.
   * @param compress - whether the message may be compressed. Default: `true`.
   */
  constructor(data: string | Uint8Array | FrameBytes, binary: boolean = typeof data !== "string", compress = true) {
    this.compress = compress;
    if (data instanceof FrameBytes) {
      const { bytes } = data;
      this.bytes = bytes;
      this.binary = (bytes[0] as number) === (FIN | OPCODE_BINARY);
      this.#headerLength = bytes[1] === LENGTH_64 ? 10 : bytes[1] === LENGTH_16 ? 4 : 2;
      return;
    }
    const length = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
    const headerLength = length < LENGTH_16 ? 2 : length <= 0xffff ? 4 : 10;
    const bytes = Buffer.allocUnsafe(headerLength + length);

    bytes[0] = FIN | (binary ? OPCODE_BINARY : OPCODE_TEXT);
    if (headerLength === 2) {
      bytes[1] = length;
    } else if (headerLength === 4) {
      bytes[1] = LENGTH_16;
      bytes.writeUInt16BE(length, 2);
    } else {
      bytes[1] = LENGTH_64;
      bytes.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
      bytes.writeUInt32BE(length >>> 0, 6);
    }
    if (typeof data === "string") bytes.write(data, headerLength, "utf8");
    else bytes.set(data, headerLength);

    this.bytes = bytes;
    this.binary = binary;
    this.#headerLength = headerLength;
  }

  /** The payload alone, sliced when it is first read. */
  get payload(): Buffer {
    return (this.#payload ??= this.bytes.subarray(this.#headerLength));
  }
}
