import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";

export const TEXT = 0x1;
export const CLOSE = 0x8;
export const PONG = 0xa;

const FIN = 0x80;
const MASKED = 0x80;

/**
 * One for the whole run, so that a frame can be sent again with other digits in it. RFC 6455 section 5.3 wants a new mask
 * for each frame because a script must not choose the bytes that a careless proxy sees; here is neither script nor proxy,
 * and to the server one mask is as much work as another.
 */
const MASK: Buffer = randomBytes(4);

/** A whole message or a control frame as a client sends it. */
export function clientFrame(opcode: number, payload: Uint8Array): Buffer {
  const headerLength = headerLengthFor(payload.length);
  const frame = Buffer.allocUnsafeSlow(headerLength + payload.length);
  frame[0] = FIN | opcode;
  if (headerLength === 6) frame[1] = MASKED | payload.length;
  else {
    // 16 bits are enough for the longest message of the benchmark.
    frame[1] = MASKED | 126;
    frame.writeUInt16BE(payload.length, 2);
  }
  MASK.copy(frame, headerLength - 4);
  for (const [index, byte] of payload.entries()) frame[headerLength + index] = byte ^ maskAt(index);
  return frame;
}

/** Replaces the payload's characters from `offset` on, which have to be ASCII. */
export function overwrite(frame: Buffer, offset: number, text: string): void {
  const start = frame[1] === (MASKED | 126) ? 8 : 6;
  for (let index = 0; index < text.length; index++) {
    frame[start + offset + index] = text.charCodeAt(index) ^ maskAt(offset + index);
  }
}

function headerLengthFor(length: number): 6 | 8 {
  if (length > 0xffff) throw new RangeError(`${length} bytes are too many for a message of the benchmark.`);
  return length < 126 ? 6 : 8;
}

function maskAt(index: number): number {
  return MASK[index & 3] as number;
}
