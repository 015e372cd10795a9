import { Buffer } from "node:buffer";
import type { LogEntry, LogPosition, LogRecord } from "../backplane.ts";

/** The first byte of a message that is not an envelope as it was published: bundles of nodes never begin with it. */
const MARK = 0;

/** The second byte of such a message: an envelope follows that begins with {@link MARK}, or entries of a log. */
const ENVELOPE = 0;
const ENTRIES = 1;

const LINE_FEED = 10;

/** The line before the entries of a message: their epoch, and the id of the first, which ends with its place. */
const HEAD = /^([\w-]+) \d+-(\d{1,16})$/;

/** The line of an entry: its number, the length of its envelope, and its origin. */
const ENTRY = /^(\d{1,16}) (\d{1,10}|-) (.+)$/;

/** Takes the place of the length of an envelope in a hole. */
const HOLE = "-";

/** Encodes an envelope for a channel. */
export function encodeEnvelope(envelope: Uint8Array): Buffer {
  const bytes = bufferOf(envelope);
  return bytes[0] === MARK ? Buffer.concat([Buffer.of(MARK, ENVELOPE), bytes]) : bytes;
}

/** Encodes an entry for a stream: its number, the length of its envelope and its origin, a line, and then the envelope. */
export function encodeEntry({ number, origin, envelope, hole }: LogEntry): Buffer {
  const length = hole === true ? HOLE : envelope.byteLength;
  return Buffer.concat([Buffer.from(`${number} ${length} ${origin}\n`, "latin1"), envelope]);
}

/**
 * Decodes a message of a channel: an envelope, or entries of the log of the channel. What cannot be read, as entries in the
 * format of a later release, is an envelope, so that the hub tells of it.
 */
export function decodeMessage(message: Buffer): Buffer | readonly LogRecord[] {
  if (message[0] !== MARK) return message;
  if (message[1] === ENVELOPE) return message.subarray(2);
  return (message[1] === ENTRIES ? recordsOf(message) : undefined) ?? message;
}

/** Decodes an entry of a stream. Returns nothing for bytes that are none. */
export function decodeEntry(bytes: Buffer, position: LogPosition): LogRecord | undefined {
  const [record, end] = recordAt(bytes, 0, position) ?? [];
  return end === bytes.length ? record : undefined;
}

function recordsOf(message: Buffer): readonly LogRecord[] | undefined {
  const [line, start] = lineAt(message, 2);
  const [, epoch, first] = HEAD.exec(line) ?? [];
  if (epoch === undefined) return undefined;
  let at = Number(first);
  const records: LogRecord[] = [];
  for (let offset = start; offset < message.length; at++) {
    const found = recordAt(message, offset, { epoch, at });
    if (found === undefined) return undefined;
    records.push(found[0]);
    offset = found[1];
  }
  return records;
}

/** Reads the entry at an offset. Returns it and where the next one begins. */
function recordAt(bytes: Buffer, offset: number, { epoch, at }: LogPosition): readonly [LogRecord, number] | undefined {
  const [line, start] = lineAt(bytes, offset);
  const [, number, length, origin = ""] = ENTRY.exec(line) ?? [];
  const isHole = length === HOLE;
  const end = start + (isHole ? 0 : Number(length));
  // Comparing with a number that is none is false as well.
  if (!(end <= bytes.length)) return undefined;
  const entry: LogEntry = { origin, number: Number(number), envelope: bytes.subarray(start, end) };
  return [{ ...entry, epoch, at, previous: at - 1, ...(isHole ? { hole: true } : undefined) }, end];
}

/** Returns the line that begins at an offset, and where it ends. */
function lineAt(bytes: Buffer, offset: number): readonly [string, number] {
  const end = bytes.indexOf(LINE_FEED, offset);
  return end === -1 ? ["", bytes.length] : [bytes.toString("latin1", offset, end), end + 1];
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
