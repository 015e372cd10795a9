const LENGTH_16 = 126;
const LENGTH_64 = 127;
const LENGTH_BITS = 0x7f;
const MASK_BYTES = 4;

/** A text frame of a server (RFC 6455 section 5.2). */
export function textFrame(message: string): Buffer {
  const length = Buffer.byteLength(message);
  const header = length < LENGTH_16 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header + length);
  frame[0] = 0x81;
  frame[1] = header === 2 ? length : header === 4 ? LENGTH_16 : LENGTH_64;
  if (header === 4) frame.writeUInt16BE(length, 2);
  if (header === 10) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.write(message, header);
  return frame;
}

/** One frame of a client. */
export interface ClientFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Takes apart what a client sends. It knows what the clients of the benchmark do: whole messages, masked. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  *read(chunk: Buffer): Generator<ClientFrame> {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const size = frameSize(bytes);
      if (size === undefined || bytes.length < size.header + size.payload) break;
      const end = size.header + size.payload;
      const payload = Buffer.from(bytes.subarray(size.header, end));
      const mask = bytes.subarray(size.header - MASK_BYTES, size.header);
      for (let index = 0; index < payload.length; index++) payload[index]! ^= mask[index % MASK_BYTES]!;
      yield { opcode: bytes.readUInt8(0) & 0x0f, payload };
      bytes = bytes.subarray(end);
    }
    this.#rest = Buffer.from(bytes);
  }
}

/** The bytes of the frame's header, its mask included, and of its payload; `undefined` while too few have come. */
function frameSize(bytes: Buffer): { readonly header: number; readonly payload: number } | undefined {
  if (bytes.length < 2) return undefined;
  const length = bytes.readUInt8(1) & LENGTH_BITS;
  if (length < LENGTH_16) return { header: 2 + MASK_BYTES, payload: length };
  const header = (length === LENGTH_16 ? 4 : 10) + MASK_BYTES;
  if (bytes.length < header) return undefined;
  return { header, payload: length === LENGTH_16 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2)) };
}
