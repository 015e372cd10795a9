/** The version of the protocol that this file speaks; `docs/PROTOCOL.md` describes it. */
export const PROTOCOL_VERSION = 1;

/** Events whose name begins with this belong to the protocol; applications may not use it. */
export const RESERVED_PREFIX = "hub:";

/** The longest name of an event, in UTF-16 code units. */
export const MAX_EVENT_NAME_LENGTH = 256;

/** An event, in either direction. With `id` the sender expects a reply that carries the same number. */
export interface EventPacket {
  readonly event: string;
  readonly data?: unknown;
  /** A non-negative safe integer, chosen by the sender and unique among its unanswered requests. */
  readonly id?: number | undefined;
  /** The room, when the server sent the event to exactly one. */
  readonly room?: string | undefined;
}

/** The error inside a reply and inside `hub:error`. */
export interface WireError {
  /** A short word that a program can branch on: a {@link WireErrorCode} or one that the application chose. */
  readonly code: string;
  /** A sentence for the developer who reads it. */
  readonly message: string;
}

/** The answer to the event that carried `id` equal to `reply`. */
export interface ReplyPacket {
  readonly reply: number;
  readonly data?: unknown;
  readonly error?: WireError;
}

/** The logical unit of the protocol. A codec turns it into the bytes of one message and back. */
export type Packet = EventPacket | ReplyPacket;

/** An object with an `event` is an event, whatever else it holds. */
export function isReply(packet: Packet): packet is ReplyPacket {
  return (packet as Partial<EventPacket>).event === undefined;
}

/** The events that the server sends on its own account. */
export const ControlEvent = {
  /** First on every plain connection: `{ id, protocol, heartbeat }`. */
  welcome: "hub:welcome",
  /** Something the client sent was refused: a {@link WireError}. */
  error: "hub:error",
} as const;

/** The codes that the server itself puts into `hub:error` and error replies. */
export const WireErrorCode = {
  /** The message could not be decoded, or is not a packet. */
  badPacket: "bad-packet",
  /** A message outside the codec (binary, for JSON), and the application takes none. */
  unexpectedMessage: "unexpected-message",
  /** Nothing on the server handles this event. */
  unknownEvent: "unknown-event",
  /** The name begins with `hub:` and is not one a client may send. */
  reservedEvent: "reserved-event",
  /** The handler threw; the details stay on the server. */
  handlerFailed: "handler-failed",
} as const;

/** Why a value is not a packet. The message is meant for the peer that sent it. */
export class PacketError extends Error {
  override readonly name = "PacketError";
}

/**
 * Checks that a decoded value has the shape of a packet. Unknown fields are allowed and ignored.
 *
 * @throws {PacketError} naming the field that is wrong.
 */
export function parsePacket(value: unknown): Packet {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new PacketError('A packet is an object such as {"event":"name","data":…}.');
  }
  const packet = value as { event?: unknown; id?: unknown; reply?: unknown; error?: unknown };
  if (packet.event !== undefined) {
    checkEventName(packet.event);
    if (packet.id !== undefined) checkId(packet.id, "id");
    return value as EventPacket;
  }
  if (packet.reply === undefined) {
    throw new PacketError('A packet has a string "event" or a number "reply".');
  }
  checkId(packet.reply, "reply");
  if (packet.error !== undefined) checkError(packet.error);
  return value as ReplyPacket;
}

function checkEventName(event: unknown): void {
  if (typeof event !== "string" || event === "") throw new PacketError('"event" must be a non-empty string.');
  if (event.length > MAX_EVENT_NAME_LENGTH) {
    throw new PacketError(`"event" must be at most ${MAX_EVENT_NAME_LENGTH} characters.`);
  }
}

function checkId(id: unknown, field: "id" | "reply"): void {
  if (!Number.isSafeInteger(id) || (id as number) < 0) {
    throw new PacketError(`"${field}" must be a non-negative integer.`);
  }
}

function checkError(error: unknown): void {
  const { code, message } = (error ?? {}) as Partial<WireError>;
  if (typeof code !== "string" || typeof message !== "string") {
    throw new PacketError('"error" must be an object with the strings "code" and "message".');
  }
}
