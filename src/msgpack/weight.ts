import { Indices, MAX_DEPTH } from "../protocol/indices.ts";
import { PacketError } from "../protocol/packet.ts";
import { MAP_EXTENSION } from "./limits.ts";

/**
 * Returns about how many bytes a message takes in memory once it is read and copied once, without reading it: headers
 * are looked at, and nothing is built. Weighing ends where the reader will refuse the message.
 *
 * @throws {PacketError} for arrays, maps and Maps that are nested more than 512 deep.
 */
export function messagePackWeight(message: Uint8Array): number {
  const end = message.length;
  let weight = 2 * end;
  let depth = 0;
  left[0] = 1;
  isMap[0] = 0;
  for (let at = 0; at < end; at++) {
    const isKey = isMap[depth] === 1 && (left[depth] as number) % 2 === 0;
    left[depth] = (left[depth] as number) - 1;
    const header = HEADERS[message[at] as number] as number;
    const size = header & SIZE;
    const length = size === 0 ? header >> LENGTH : unsigned(message, at + 1, size);
    at += size;
    const kind = header & KIND;
    if (kind === ARRAY || kind === MAP) {
      const values = kind === MAP ? 2 * length : length;
      if (values > end - at) return weight;
      if (++depth > MAX_DEPTH) throw new PacketError(`The message is nested more than ${MAX_DEPTH} deep.`);
      weight += kind === MAP ? 80 + 136 * length : 64 + 24 * length;
      left[depth] = values;
      isMap[depth] = kind === MAP ? 1 : 0;
      indices.open(depth);
    } else if (kind === EXTENSION && message[at + 1] === MAP_EXTENSION) {
      // The payload is an array, which comes as one value more.
      weight += 256;
      left[depth] = (left[depth] as number) + 1;
      at++;
    } else {
      if (kind === STRING) {
        if (isMap[depth] === 0) weight += 8;
        if (isKey && length > 0) indices.add(depth, message, at + 1, Math.min(at + 1 + length, end));
      } else if (kind === BINARY) weight += 256 + length;
      else if (kind === EXTENSION) {
        // Behind its type there is a time, or what the reader refuses.
        weight += 96;
        at++;
      }
      at += length;
    }
    while (left[depth] === 0) {
      weight += indices.weight(depth);
      if (depth-- === 0) return weight;
    }
  }
  return weight;
}

/** Returns the big-endian number of `size` bytes; there are zeros after the message. */
function unsigned(message: Uint8Array, start: number, size: number): number {
  let value = 0;
  for (let at = start; at < start + size; at++) value = ((value << 8) | (message[at] ?? 0)) >>> 0;
  return value;
}

/** Number of values that are still missing in each open array and map; a key is a value. */
const left = new Float64Array(MAX_DEPTH + 1);
const isMap = new Uint8Array(MAX_DEPTH + 1);
const indices: Indices = new Indices();

/** In a header: how many bytes its length has, its kind, and its length if that is in the token. */
const SIZE = 0x07;
const KIND = 0x38;
const LENGTH = 6;

const SCALAR = 0x00;
const STRING = 0x08;
const BINARY = 0x10;
const EXTENSION = 0x18;
const ARRAY = 0x20;
const MAP = 0x28;

/** The header of each token. */
const HEADERS: Uint16Array = Uint16Array.from({ length: 256 }, (_, token) => {
  if (token < 0x80 || token >= 0xe0) return SCALAR;
  if (token < 0x90) return fixed(MAP, token & 0x0f);
  if (token < 0xa0) return fixed(ARRAY, token & 0x0f);
  if (token < 0xc0) return fixed(STRING, token & 0x1f);
  if (token < 0xc4) return SCALAR;
  if (token < 0xc7) return BINARY | (1 << (token - 0xc4));
  if (token < 0xca) return EXTENSION | (1 << (token - 0xc7));
  if (token < 0xcc) return fixed(SCALAR, 4 << (token - 0xca));
  if (token < 0xd4) return fixed(SCALAR, 1 << (token & 0x03));
  if (token < 0xd9) return fixed(EXTENSION, 1 << (token - 0xd4));
  if (token < 0xdc) return STRING | (1 << (token - 0xd9));
  if (token < 0xde) return ARRAY | (2 << (token - 0xdc));
  return MAP | (2 << (token - 0xde));
});

/** A header without a length of its own. */
function fixed(kind: number, length: number): number {
  return kind | (length << LENGTH);
}
