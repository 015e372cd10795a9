import { Buffer } from "node:buffer";
import type { LogEntry, LogRecord } from "../backplane.ts";

/** The header of a message with entries: the epoch, whether the log begins with it, the origin, and number and size of each. */
export const ENTRIES = "Roomcast-Entries";

/**
 * The most entries of one message, and the distance between the places of the last entries of two messages that follow each
 * other: the place of the last is known without knowing how many they are.
 */
export const SPAN = 1_000;

/** The entries that were appended together, in one message of a stream. */
export interface LogMessage {
  readonly seq: number;
  readonly epoch: string;
  /** Whether it begins a log. */
  readonly begins: boolean;
  readonly entries: readonly LogEntry[];
}

/** The place of the last entry of a message. */
export function placeOf({ seq }: Pick<LogMessage, "seq">): number {
  return seq * SPAN;
}

/** The place of an entry of a message. */
export function placeAt(message: Pick<LogMessage, "seq" | "entries">, index: number): number {
  return placeOf(message) - (message.entries.length - 1 - index);
}

/** The message that has the entry at a place. */
export function seqOf(at: number): number {
  return Math.ceil(at / SPAN);
}

/** Returns the header, the payload and the id of a message. The id is the same whenever the same entries are stored. */
export function encodeEntries(
  epoch: string,
  begins: boolean,
  entries: readonly LogEntry[],
): { readonly header: string; readonly id: string; readonly payload: Uint8Array } {
  const origin = Buffer.from(entries[0]?.origin ?? "").toString("base64url");
  const sizes = entries.map(
    ({ number, envelope, hole }) => `${number}:${hole === true ? "hole" : envelope.byteLength}`,
  );
  const [only] = entries;
  const payload = entries.length === 1 && only ? only.envelope : Buffer.concat(entries.map(({ envelope }) => envelope));
  const id = `${only?.number}-${entries.at(-1)?.number}/${origin}`;
  return { header: `${epoch} ${begins ? "begin" : "go"} ${origin} ${sizes.join(",")}`, id, payload };
}

/**
 * Reads a message.
 *
 * @param header - a message without it is none of this library's. It is a hole, and nothing goes on behind it.
 */
export function decodeEntries(seq: number, header: string, payload: Uint8Array): LogMessage {
  const [, epoch, mode, origin, sizes] =
    /^([\w-]+) (begin|go) ([\w-]+) (\d+:(?:\d+|hole)(?:,\d+:(?:\d+|hole))*)$/.exec(header) ?? [];
  if (epoch === undefined || origin === undefined || sizes === undefined) {
    return { seq, epoch: `unknown-${seq}`, begins: true, entries: [holeOf("unknown", seq)] };
  }
  const from = Buffer.from(origin, "base64url").toString();
  let offset = 0;
  const entries = sizes.split(",").map((text): LogEntry => {
    const [number, size] = text.split(":") as [string, string];
    if (size === "hole") return holeOf(from, Number(number));
    return { origin: from, number: Number(number), envelope: payload.subarray(offset, (offset += Number(size))) };
  });
  return { seq, epoch, begins: mode === "begin", entries };
}

/**
 * Returns the entries of a message in their places.
 *
 * @param previous - the place before the first of them.
 */
export function recordsOf(message: LogMessage, previous: number): readonly LogRecord[] {
  const { epoch, entries } = message;
  return entries.map((entry, index): LogRecord => {
    const { origin, number, envelope } = entry;
    const at = placeAt(message, index);
    const record = { origin, number, envelope, epoch, at, previous: index === 0 ? previous : at - 1 };
    return entry.hole === true ? Object.assign(record, { hole: true as const }) : record;
  });
}

/** Makes an entry that stands for one that is not known. */
export function holeOf(origin: string, number: number): LogEntry {
  return { origin, number, envelope: new Uint8Array(), hole: true };
}
