import { addExtension, Packr } from "msgpackr";
import { MAX_DEPTH } from "../protocol/indices.ts";
import { MAP_EXTENSION, MAX_UNHASHED_KEYS } from "./limits.ts";

/** The entries of a Map, already packed. */
class PackedMap {
  readonly entries: Uint8Array;

  constructor(entries: Uint8Array) {
    this.entries = entries;
  }
}

// Extensions apply to the whole process. No other code has objects of this class. msgpackr writes only the low byte of
// the type, 77, but compares the whole number when it reads, and no message has that number: the way in which other
// code reads type 77 is not affected.
addExtension({ Class: PackedMap, type: MAP_EXTENSION + 256, pack: ({ entries }: PackedMap) => entries });

/** The values are plain before they are packed: there are no records and no hooks. */
const packr = new Packr({ useRecords: false, useToJSON: false });

/** Packs a value that {@link packable} returned. The bytes are a copy, because those of msgpackr belong to a pool. */
export function pack(value: unknown): Uint8Array {
  return new Uint8Array(packr.pack(value));
}

/**
 * Converts a value to types that msgpackr writes as standard MessagePack, or to `undefined` if the value is left out.
 * Bytes, dates, Maps and bigints, which JSON cannot represent, are kept; for everything else the rules are those of
 * `JSON.stringify`.
 *
 * @param key - the place of the value in its object or array, for `toJSON`.
 * @param depth - the number of arrays, maps and Maps around the value.
 * @throws {TypeError} for a value that cannot be written.
 */
export function packable(value: unknown, key: string, depth: number): unknown {
  if (typeof value === "object" && value !== null) return packableObject(value, key, depth);
  return primitive(value);
}

function packableObject(value: object, key: string, depth: number): unknown {
  if (value instanceof Uint8Array) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value;
  if (value instanceof Map) return packedMap(value, depth);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON !== "function") return plain(value, depth);
  const json: unknown = toJSON.call(value, key);
  if (typeof json !== "object" || json === null) return primitive(json);
  // `toJSON` is called once, because its result may be the same object again.
  return hasType(json) ? packableObject(json, key, depth) : plain(json, depth);
}

function hasType(value: object): boolean {
  return value instanceof Uint8Array || value instanceof Date || value instanceof Map;
}

function primitive(value: unknown): unknown {
  switch (typeof value) {
    case "string":
      return wellFormed(value);
    case "number":
      return isLongInteger(value) ? BigInt(value) : value;
    case "bigint":
      if (value >= MIN_INT_64 && value <= MAX_UINT_64) return value;
      throw new TypeError("MessagePack cannot represent an integer of more than 64 bits.");
    case "undefined":
    case "function":
    case "symbol":
      return undefined;
    default:
      return value;
  }
}

function plain(value: object, depth: number): unknown {
  checkDepth(depth);
  if (Array.isArray(value)) {
    return Array.from(value, (item: unknown, index) => packable(item, String(index), depth + 1) ?? null);
  }
  // The result is a Map, because msgpackr looks for hooks in objects and limits their size.
  const fields = new Map<string, unknown>();
  for (const key of Object.keys(value)) {
    const field = packable((value as Record<string, unknown>)[key], key, depth + 1);
    if (field !== undefined) fields.set(wellFormed(key), field);
  }
  return fields;
}

function packedMap(map: ReadonlyMap<unknown, unknown>, depth: number): PackedMap {
  checkDepth(depth);
  const entries: unknown[] = [];
  let unhashed = 0;
  for (const [key, value] of map) {
    if (typeof key !== "string" && ++unhashed > MAX_UNHASHED_KEYS) {
      throw new TypeError(`A Map can be sent with at most ${MAX_UNHASHED_KEYS} keys that are not strings.`);
    }
    entries.push(packable(key, "", depth + 1) ?? null, packable(value, "", depth + 1) ?? null);
  }
  return new PackedMap(pack(entries));
}

function checkDepth(depth: number): void {
  if (depth >= MAX_DEPTH) {
    throw new TypeError(`MessagePack data can be nested ${MAX_DEPTH} deep; this is deeper, or contains itself.`);
  }
}

/**
 * Returns whether a number is an exact integer of more than 32 bits. msgpackr writes one as a float unless it is a
 * bigint, and many languages do not take a float for an integer.
 */
function isLongInteger(value: number): boolean {
  return (value > MAX_UINT_32 || value < MIN_INT_32) && Number.isSafeInteger(value);
}

const MIN_INT_32 = -(2 ** 31);
const MAX_UINT_32 = 2 ** 32 - 1;
const MIN_INT_64 = -(2n ** 63n);
const MAX_UINT_64 = 2n ** 64n - 1n;

/** Replaces lone surrogates, which UTF-8 cannot represent. */
function wellFormed(text: string): string {
  return LONE_SURROGATE.test(text) ? text.replaceAll(LONE_SURROGATES, "\uFFFD") : text;
}

const LONE_SURROGATE = /\p{Surrogate}/u;
const LONE_SURROGATES = /\p{Surrogate}/gu;
