import { Buffer } from "node:buffer";

/*
 * MessagePack as `docs/PROTOCOL.md` section 3.2 describes it, written from that section and the public specification
 * alone: what the library does with another implementation than its own.
 */

const TIMESTAMP = -1;
const MAP = 77;

/** The shortest form of a value. */
export function encode(value: unknown): Uint8Array {
  if (value === null || value === undefined) return bytes(0xc0);
  if (typeof value === "boolean") return bytes(value ? 0xc3 : 0xc2);
  if (typeof value === "number") return Number.isSafeInteger(value) ? encodeInteger(value) : float(value);
  if (typeof value === "bigint") return value < 0 ? signed(value, 8, 0xd3) : unsigned(value, 8, 0xcf);
  if (typeof value === "string") return encodeText(Buffer.from(value));
  if (value instanceof Uint8Array) return Buffer.concat([head(value.length, [0xc4, 0xc5, 0xc6]), value]);
  if (value instanceof Date) return extension(TIMESTAMP, timestamp(value.getTime()));
  if (value instanceof Map) return extension(MAP, encode([...value].flat()));
  if (Array.isArray(value)) return Buffer.concat([fixed(value.length, 0x90, 15, [0xdc, 0xdd]), ...value.map(encode)]);
  const fields = Object.entries(value);
  return Buffer.concat([fixed(fields.length, 0x80, 15, [0xde, 0xdf]), ...fields.flat().map(encode)]);
}

/** The one value that these bytes are. */
export function decode(message: Uint8Array): unknown {
  const reader = new Reader(message);
  const value = reader.value();
  if (!reader.atEnd) throw new Error("There are bytes behind the value.");
  return value;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(message: Uint8Array) {
    this.#bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(): unknown {
    const first = this.#take(1).readUInt8();
    if (first < 0x80) return first;
    if (first >= 0xe0) return first - 0x100;
    if (first < 0x90) return this.#object(first & 15);
    if (first < 0xa0) return this.#list(first & 15);
    if (first < 0xc0) return this.#text(first & 31);
    const read = this.#readers[first];
    if (read === undefined) throw new Error(`The byte ${first.toString(16)} begins no value.`);
    return read();
  }

  readonly #readers: Readonly<Record<number, () => unknown>> = {
    0xc0: () => null,
    0xc2: () => false,
    0xc3: () => true,
    0xc4: () => this.#copy(this.#unsigned(1)),
    0xc5: () => this.#copy(this.#unsigned(2)),
    0xc6: () => this.#copy(this.#unsigned(4)),
    0xc7: () => this.#extension(this.#unsigned(1)),
    0xc8: () => this.#extension(this.#unsigned(2)),
    0xc9: () => this.#extension(this.#unsigned(4)),
    0xca: () => this.#take(4).readFloatBE(),
    0xcb: () => this.#take(8).readDoubleBE(),
    0xcc: () => this.#unsigned(1),
    0xcd: () => this.#unsigned(2),
    0xce: () => this.#unsigned(4),
    0xcf: () => integer(this.#take(8).readBigUInt64BE()),
    0xd0: () => this.#take(1).readInt8(),
    0xd1: () => this.#take(2).readInt16BE(),
    0xd2: () => this.#take(4).readInt32BE(),
    0xd3: () => integer(this.#take(8).readBigInt64BE()),
    0xd4: () => this.#extension(1),
    0xd5: () => this.#extension(2),
    0xd6: () => this.#extension(4),
    0xd7: () => this.#extension(8),
    0xd8: () => this.#extension(16),
    0xd9: () => this.#text(this.#unsigned(1)),
    0xda: () => this.#text(this.#unsigned(2)),
    0xdb: () => this.#text(this.#unsigned(4)),
    0xdc: () => this.#list(this.#unsigned(2)),
    0xdd: () => this.#list(this.#unsigned(4)),
    0xde: () => this.#object(this.#unsigned(2)),
    0xdf: () => this.#object(this.#unsigned(4)),
  };

  #take(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw new Error("The message ends inside a value.");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  #unsigned(width: number): number {
    return this.#take(width).readUIntBE(0, width);
  }

  #copy(length: number): Uint8Array {
    return new Uint8Array(this.#take(length));
  }

  #text(length: number): string {
    return this.#take(length).toString();
  }

  #list(length: number): unknown[] {
    return Array.from({ length }, () => this.value());
  }

  #object(length: number): Record<string, unknown> {
    return Object.fromEntries(Array.from({ length }, () => [this.value() as string, this.value()]));
  }

  #extension(length: number): unknown {
    const type = this.#take(1).readInt8();
    const payload = this.#take(length);
    if (type === TIMESTAMP) return new Date(milliseconds(payload));
    if (type !== MAP) throw new Error(`The extension type ${type} is none of this protocol.`);
    const items = decode(payload) as unknown[];
    return new Map(Array.from({ length: items.length / 2 }, (_, index) => [items[2 * index], items[2 * index + 1]]));
  }
}

function milliseconds(payload: Buffer): number {
  if (payload.length === 4) return payload.readUInt32BE() * 1_000;
  if (payload.length === 12)
    return Number(payload.readBigInt64BE(4)) * 1_000 + Math.floor(payload.readUInt32BE() / 1e6);
  const both = payload.readBigUInt64BE();
  return Number(both & 0x3_ffff_ffffn) * 1_000 + Math.floor(Number(both >> 34n) / 1e6);
}

/** A number, if it holds the integer exactly. */
function integer(value: bigint): number | bigint {
  return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function timestamp(time: number): Uint8Array {
  const seconds = Math.floor(time / 1_000);
  const nanoseconds = (time - seconds * 1_000) * 1e6;
  if (seconds < 0 || seconds >= 2 ** 34) return Buffer.concat([unsigned(nanoseconds, 4), signed(seconds, 8)]);
  if (nanoseconds === 0 && seconds < 2 ** 32) return unsigned(seconds, 4);
  return unsigned((BigInt(nanoseconds) << 34n) | BigInt(seconds), 8);
}

function encodeInteger(value: number): Uint8Array {
  if (value >= -32 && value < 128) return bytes(value & 0xff);
  const widths = [1, 2, 4, 8];
  const bits = value < 0 ? (width: number) => 2 ** (8 * width - 1) : (width: number) => 2 ** (8 * width) - 1;
  const index = widths.findIndex((width) => Math.abs(value) <= bits(width));
  const width = widths[index] ?? 8;
  return value < 0 ? signed(value, width, 0xd0 + index) : unsigned(value, width, 0xcc + index);
}

function encodeText(text: Uint8Array): Uint8Array {
  return Buffer.concat([fixed(text.length, 0xa0, 31, [0xd9, 0xda, 0xdb]), text]);
}

function extension(type: number, payload: Uint8Array): Uint8Array {
  const index = [1, 2, 4, 8, 16].indexOf(payload.length);
  const start = index === -1 ? head(payload.length, [0xc7, 0xc8, 0xc9]) : bytes(0xd4 + index);
  return Buffer.concat([start, bytes(type & 0xff), payload]);
}

/** A length in the first byte, if it is at most `most`. */
function fixed(length: number, first: number, most: number, longer: readonly number[]): Uint8Array {
  return length <= most ? bytes(first | length) : head(length, longer);
}

/** A length after one of these first bytes, the last of which is that of four bytes, the others half of the next. */
function head(length: number, firsts: readonly number[]): Uint8Array {
  const widths = [1, 2, 4].slice(-firsts.length);
  const index = widths.findIndex((width) => length < 2 ** (8 * width));
  return Buffer.concat([bytes(firsts[index] ?? 0), unsigned(length, widths[index] ?? 4)]);
}

function bytes(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

function float(value: number): Uint8Array {
  const buffer = Buffer.alloc(9, 0xcb);
  buffer.writeDoubleBE(value, 1);
  return buffer;
}

/** Behind a first byte, if one is given. */
function unsigned(value: number | bigint, width: number, first?: number): Uint8Array {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(value));
  return Buffer.concat([bytes(...(first === undefined ? [] : [first])), buffer.subarray(8 - width)]);
}

function signed(value: number | bigint, width: number, first?: number): Uint8Array {
  return unsigned(BigInt.asUintN(64, BigInt(value)), width, first);
}
