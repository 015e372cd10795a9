import { Buffer } from "node:buffer";
import type { MessageFrame } from "./transport.ts";

const FIN = 0x80;
const OPCODE_TEXT = 0x1;
const OPCODE_BINARY = 0x2;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/**
 * An unfragmented, unmasked message frame as a server sends it (RFC 6455 section 5.2).
 *
 * The header is written in front of the payload at once, so that one frame is one run of bytes that any number of
 * connections can share.
 */
export class Frame implements MessageFrame {
  readonly bytes: Buffer;
  readonly binary: boolean;
  readonly #headerLength: number;
  #payload: Buffer | undefined;

  /**
   * A string becomes a text frame, bytes become a binary frame, unless they are said to be text in UTF-8. The data is copied: the
   * caller may change it.
   */
  constructor(data: string | Uint8Array, binary: boolean = typeof data !== "string") {
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

  get payload(): Buffer {
    return (this.#payload ??= this.bytes.subarray(this.#headerLength));
  }
}
