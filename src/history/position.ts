import { isObject } from "../checks/option-rules.ts";
import { MAX_STREAM_LENGTH } from "../protocol/packet.ts";

/** The most sockets that a stream names. */
const MAX_SOCKETS = 4;

/** Stands between the parts of a stream: neither an epoch nor the id of a socket has it. */
const SEPARATOR = ".";

/** A position as a client has given it. */
export interface GivenPosition {
  /** The epoch of the record; an empty text for what is no position. */
  readonly epoch: string;
  readonly at: number;
  /** The ids of the sockets that the client had, the last one first. */
  readonly sockets: readonly string[];
}

/** What a client has given that is no position: it had one, but nobody knows which. */
const UNKNOWN: GivenPosition = { epoch: "", at: 0, sockets: [] };

/**
 * Reads a position. A client can have made it up: its text is looked at only if it is no longer than one of the hub's.
 *
 * @returns `undefined` if there is none.
 */
export function readPosition(since: unknown): GivenPosition | undefined {
  if (since === undefined || since === null) return undefined;
  if (!isObject(since)) return UNKNOWN;
  const { stream, at } = since;
  if (typeof stream !== "string" || stream.length > MAX_STREAM_LENGTH) return UNKNOWN;
  const [epoch = "", ...sockets] = stream.split(SEPARATOR);
  const isPlace = Number.isSafeInteger(at) && (at as number) >= 0;
  return { epoch: isPlace ? epoch : "", at: isPlace ? (at as number) : 0, sockets: sockets.slice(0, MAX_SOCKETS) };
}

/**
 * Returns the text that names a record to a client, with the sockets that the client has and had: what left one of these
 * out is not for the next one either.
 */
export function streamOf(epoch: string, ...sockets: readonly string[]): string {
  let stream = epoch;
  for (const id of sockets.slice(0, MAX_SOCKETS)) {
    if (stream.length + id.length >= MAX_STREAM_LENGTH) break;
    stream += SEPARATOR + id;
  }
  return stream;
}
