import { Buffer } from "node:buffer";

/** The header of a frame, right or wrong. */
export interface Header {
  readonly fin?: boolean;
  /** The three reserved bits as a number. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** What is said to be the length. Default: what it is. */
  readonly claimed?: bigint;
  /** How many bits the length takes. Default: as few as do. */
  readonly lengthBits?: 7 | 16 | 64;
}

const MASK = Buffer.from([0xa5, 0x0f, 0x3c, 0x71]);

/** The bytes of a client's frame. */
export function frame(opcode: number, payload: Buffer | string = "", header: Header = {}): Buffer {
  const { fin = true, reserved = 0, masked = true } = header;
  const content = Buffer.from(payload as string);
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const { claimed = BigInt(content.length) } = header;
  const length = lengthBytes(claimed, header.lengthBits ?? bitsFor(claimed));
  if (masked) length[0] = (length[0] ?? 0) | 0x80;
  if (!masked) return Buffer.concat([Buffer.from([first]), length, content]);
  for (let index = 0; index < content.length; index++) {
    content[index] = (content[index] ?? 0) ^ (MASK[index & 3] ?? 0);
  }
  return Buffer.concat([Buffer.from([first]), length, MASK, content]);
}

function bitsFor(length: bigint): 7 | 16 | 64 {
  return length < 126n ? 7 : length < 65_536n ? 16 : 64;
}

function lengthBytes(length: bigint, bits: 7 | 16 | 64): Buffer {
  if (bits === 7) return Buffer.from([Number(length & 0x7fn)]);
  const bytes = Buffer.alloc(bits === 16 ? 3 : 9);
  bytes[0] = bits === 16 ? 126 : 127;
  if (bits === 16) bytes.writeUInt16BE(Number(length & 0xffffn), 1);
  else bytes.writeBigUInt64BE(length & 0xffff_ffff_ffff_ffffn, 1);
  return bytes;
}
