import { Buffer } from "node:buffer";
import type { Notation } from "./vectors.ts";

/** The values of the placeholders of one connection, or of several in a row. */
export class Known extends Map<string, unknown> {
  /** The values that no other placeholder may stand for: numbers of this connection, and texts of all. */
  readonly #taken = new Set<unknown>();

  /** Begins the next connection. */
  connect(): void {
    for (const value of this.#taken) if (typeof value === "number") this.#taken.delete(value);
  }

  isTaken(value: unknown): boolean {
    return this.#taken.has(value);
  }

  learn(placeholder: string, value: unknown): void {
    this.set(placeholder, value);
    this.#taken.add(value);
  }
}

const PLACEHOLDER = /^<[a-z]+( \d+)?>$/;

/** The value that a notation stands for, with the placeholders filled in. */
export function valueOf(notation: Notation, known: Known = new Known()): unknown {
  if (typeof notation === "string" && known.has(notation)) return known.get(notation);
  if (typeof notation !== "object" || notation === null) return notation;
  if (Array.isArray(notation)) return notation.map((item) => valueOf(item, known));
  const { $bytes, $date, $map, $integer, $float } = notation as Special;
  if ($bytes !== undefined) return bytesOf($bytes);
  if ($date !== undefined) return new Date($date);
  if ($map !== undefined) return new Map($map.map(([key, value]) => [valueOf(key, known), valueOf(value, known)]));
  if ($integer !== undefined) return BigInt($integer);
  if ($float !== undefined) return Number($float);
  return Object.fromEntries(Object.entries(notation).map(([name, value]) => [name, valueOf(value, known)]));
}

/** The notations of values that JSON does not have. */
interface Special {
  readonly $bytes?: string;
  readonly $date?: string;
  readonly $map?: readonly (readonly [unknown, unknown])[];
  readonly $integer?: string;
  readonly $float?: string;
}

/** How a value is noted. */
export function notationOf(value: unknown): Notation {
  if (value instanceof Uint8Array) return { $bytes: hexOf(value) };
  if (value instanceof Date) return { $date: value.toISOString() };
  if (value instanceof Map) {
    return { $map: Array.from(value, ([key, item]) => [notationOf(key), notationOf(item)]) };
  }
  if (typeof value === "bigint") return { $integer: String(value) };
  if (typeof value === "number" && !Number.isFinite(value)) return { $float: String(value) };
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(notationOf);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, notationOf(item)]));
}

/**
 * What was received, with the placeholders of what was expected in the places of what they stand for. Learns that where
 * a placeholder occurs for the first time: a number for `<n>`, a text for others, and another one for each.
 */
export function recognise(received: Notation, expected: Notation, known: Known): Notation {
  if (typeof expected === "string" && PLACEHOLDER.test(expected)) {
    if (!known.has(expected) && canStandFor(expected, received, known)) known.learn(expected, received);
    return known.has(expected) && known.get(expected) === received ? expected : received;
  }
  if (typeof received !== "object" || received === null) return received;
  if (typeof expected !== "object" || expected === null) return received;
  if (Array.isArray(received)) {
    return received.map((item, index) => recognise(item, (expected as readonly unknown[])[index], known));
  }
  const hoped = expected as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(received).map(([name, item]) => [name, recognise(item, hoped[name], known)]),
  );
}

function canStandFor(placeholder: string, value: unknown, known: Known): boolean {
  if (known.isTaken(value)) return false;
  return placeholder.startsWith("<n") ? Number.isSafeInteger(value) : typeof value === "string" && value !== "";
}

/** Bytes as in `00 ff 10`. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex").replaceAll(/..\B/g, "$& ");
}

export function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}
