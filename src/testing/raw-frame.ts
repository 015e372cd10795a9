import { Buffer } from "node:buffer";

/** The opcodes of RFC 6455 section 5.2. */
export const Opcode = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

/** One frame on the wire. */
export interface RawFrame {
  readonly fin: boolean;
  /** The three reserved bits as a number. */
  readonly reserved: number;
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Parts of the header of a client's frame. Some values make the frame invalid. */
export interface RawFrameOptions {
  /** Whether the frame is the last one of its message. Default: `true`. */
  readonly fin?: boolean;
  /** The three reserved bits as a number. Default: 0. */
  readonly reserved?: number;
  /** Whether the payload is masked, as RFC 6455 demands of a client. Default: `true`. */
  readonly masked?: boolean;
}

const MASK = Buffer.from([0x12, 0x34, 0x56, 0x78]);

/** Writes a client's frame, valid or not. */
export function rawFrame(opcode: number, payload: string | Uint8Array = "", options: RawFrameOptions = {}): Buffer {
  const { fin = true, reserved = 0, masked = true } = options;
  const bytes = Buffer.from(payload as string);
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const header = Buffer.concat([Buffer.from([first]), lengthBytes(bytes.length, masked)]);
  if (!masked) return Buffer.concat([header, bytes]);
  for (let index = 0; index < bytes.length; index++) bytes[index] = (bytes[index] ?? 0) ^ (MASK[index & 3] ?? 0);
  return Buffer.concat([header, MASK, bytes]);
}

/**
 * Writes the frames of a message in fragments of this size, in bytes; the last one may be smaller. The reserved bits are
 * those of the first frame.
 */
export function rawFragments(opcode: number, payload: Uint8Array, size: number, reserved = 0): Buffer[] {
  const count = Math.max(1, Math.ceil(payload.length / size));
  return Array.from({ length: count }, (_, index) =>
    rawFrame(index === 0 ? opcode : Opcode.continuation, payload.subarray(index * size, (index + 1) * size), {
      fin: index === count - 1,
      reserved: index === 0 ? reserved : 0,
    }),
  );
}

/** Writes the payload of a close frame. */
export function closePayload(code: number, reason: string | Uint8Array = ""): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason as string)]);
}

function lengthBytes(length: number, masked: boolean): Buffer {
  const mask = masked ? 0x80 : 0;
  if (length < 126) return Buffer.from([mask | length]);
  if (length < 65_536) {
    const bytes = Buffer.from([mask | 126, 0, 0]);
    bytes.writeUInt16BE(length, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9);
  bytes[0] = mask | 127;
  bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}
