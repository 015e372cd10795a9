import { MAX_DEPTH } from "../protocol/indices.ts";
import { PacketError } from "../protocol/packet.ts";
import { MAP_EXTENSION, MAX_UNHASHED_KEYS } from "./limits.ts";
import { timestamp, TIMESTAMP_EXTENSION } from "./timestamp.ts";

/**
 * Reads one message of standard MessagePack from a peer that is not trusted.
 *
 * msgpackr is not used for reading: it accepts far more than the standard (records, regular expressions, references,
 * errors), has one table of extensions for the whole process, and renames a key `__proto__`.
 *
 * The values that this class returns share no memory with the message.
 */
export class MessagePackReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;
  #depth = 0;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    // A new array is made because slices of a Buffer would be Buffers.
    this.#bytes = new Uint8Array(buffer, byteOffset, byteLength);
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  /**
   * Reads the message.
   *
   * @throws {PacketError} The error says what is wrong with the message, without quoting it.
   */
  read(): unknown {
    const value = this.#value();
    if (this.#offset < this.#bytes.length) throw new PacketError("The message goes on after its MessagePack value.");
    return value;
  }

  #value(): unknown {
    const token = this.#unsigned(1);
    if (token < 0x80) return token;
    if (token >= 0xe0) return token - 0x100;
    if (token < 0x90) return this.#object(token & 0x0f);
    if (token < 0xa0) return this.#array(token & 0x0f);
    if (token < 0xc0) return this.#string(token & 0x1f);
    switch (token) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#binary(this.#unsigned(1 << (token - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#unsigned(1 << (token - 0xc7)));
      case 0xca:
        return this.#view.getFloat32(this.#take(4));
      case 0xcb:
        return this.#view.getFloat64(this.#take(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#unsigned(1 << (token - 0xcc));
      case 0xcf:
        return integer(this.#view.getBigUint64(this.#take(8)));
      case 0xd0:
        return this.#view.getInt8(this.#take(1));
      case 0xd1:
        return this.#view.getInt16(this.#take(2));
      case 0xd2:
        return this.#view.getInt32(this.#take(4));
      case 0xd3:
        return integer(this.#view.getBigInt64(this.#take(8)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (token - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#string(this.#unsigned(1 << (token - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#unsigned(2 << (token - 0xdc)));
      case 0xde:
      case 0xdf:
        return this.#object(this.#unsigned(2 << (token - 0xde)));
      default:
        throw new PacketError("The message has the byte 0xc1, which MessagePack does not use.");
    }
  }

  /** Consumes the next bytes and returns their offset. */
  #take(count: number): number {
    const start = this.#offset;
    if (count > this.#bytes.length - start) throw new PacketError("The message ends within a MessagePack value.");
    this.#offset += count;
    return start;
  }

  #unsigned(size: number): number {
    const start = this.#take(size);
    if (size === 1) return this.#view.getUint8(start);
    return size === 2 ? this.#view.getUint16(start) : this.#view.getUint32(start);
  }

  #binary(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.slice(start, start + length);
  }

  #string(length: number): string {
    const start = this.#take(length);
    try {
      return (length <= SHORT && this.#ascii(start, length)) || UTF_8.decode(this.#bytes.subarray(start, this.#offset));
    } catch {
      throw new PacketError("The message has a string that is not valid UTF-8.");
    }
  }

  /**
   * Reads a string of ASCII characters; `undefined` for any other. Most keys are short, and calling the decoder for
   * each would take longer.
   */
  #ascii(start: number, length: number): string | undefined {
    let text = "";
    for (let offset = start; offset < start + length; offset++) {
      const code = this.#view.getUint8(offset);
      if (code > 0x7f) return undefined;
      text += String.fromCharCode(code);
    }
    return text;
  }

  #array(length: number): unknown[] {
    this.#enter(length);
    const array = this.#items(length);
    this.#depth--;
    return array;
  }

  /** The array grows as it is read: a message may announce many more values than it holds. */
  #items(length: number): unknown[] {
    // The first `push` makes room for 17.
    if (length === 1) return [this.#value()];
    if (length === 2) return [this.#value(), this.#value()];
    if (length === 3) return [this.#value(), this.#value(), this.#value()];
    if (length === 4) return [this.#value(), this.#value(), this.#value(), this.#value()];
    const items: unknown[] = [];
    for (let index = 0; index < length; index++) items.push(this.#value());
    return items;
  }

  #object(size: number): Record<string, unknown> {
    this.#enter(2 * size);
    const object: Record<string, unknown> = {};
    for (let index = 0; index < size; index++) {
      const key = this.#value();
      if (typeof key !== "string")
        throw new PacketError("The message has a MessagePack map with a key that is not a string.");
      const value = this.#value();
      // As with JSON.parse, `__proto__` is a key like any other and changes no prototype.
      if (key === "__proto__") Object.defineProperty(object, key, { ...OWN, value });
      else object[key] = value;
    }
    this.#depth--;
    return object;
  }

  #extension(length: number): unknown {
    const type = this.#view.getInt8(this.#take(1));
    if (type === TIMESTAMP_EXTENSION) return timestamp(this.#view, this.#take(length), length);
    if (type === MAP_EXTENSION) return this.#map(length);
    throw new PacketError("The message has a MessagePack extension that is neither -1 nor 77.");
  }

  #map(length: number): Map<unknown, unknown> {
    const end = this.#offset + length;
    const entries = this.#entries();
    if (entries === undefined || entries.length % 2 > 0 || this.#offset !== end) {
      throw new PacketError("The message has a Map that is not exactly one array of keys and values.");
    }
    const map = new Map<unknown, unknown>();
    let unhashed = 0;
    for (let index = 0; index < entries.length; index += 2) {
      const key: unknown = entries[index];
      if (typeof key !== "string" && ++unhashed > MAX_UNHASHED_KEYS) {
        throw new PacketError(`The message has a Map with more than ${MAX_UNHASHED_KEYS} keys that are not strings.`);
      }
      map.set(key, entries[index + 1]);
    }
    return map;
  }

  /** Reads an array; `undefined` for anything else, which is not read: it might be nested without an end. */
  #entries(): unknown[] | undefined {
    const token = this.#unsigned(1);
    if (token >= 0x90 && token < 0xa0) return this.#array(token & 0x0f);
    return token === 0xdc || token === 0xdd ? this.#array(this.#unsigned(2 << (token - 0xdc))) : undefined;
  }

  #enter(values: number): void {
    if (values > this.#bytes.length - this.#offset) this.#take(values);
    if (++this.#depth > MAX_DEPTH) throw new PacketError(`The message is nested more than ${MAX_DEPTH} deep.`);
  }
}

/** The length up to which V8 makes a flat string of characters that are joined one by one. */
const SHORT = 12;

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const OWN = { configurable: true, enumerable: true, writable: true };

/** Returns a number if it holds the integer exactly, whatever the width in which the integer was written. */
function integer(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
