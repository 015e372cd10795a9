/** The version of the protocol that this file speaks; `docs/PROTOCOL.md` describes it. */
export const PROTOCOL_VERSION = 1;

/** Events whose name begins with this belong to the protocol; applications may not use it. */
export const RESERVED_PREFIX = "hub:";

/** The longest name of an event, in UTF-16 code units. */
export const MAX_EVENT_NAME_LENGTH = 256;

/** The longest key of a request, in UTF-16 code units. */
export const MAX_KEY_LENGTH = 64;

/** An event, in either direction. With `id` the sender expects a reply that carries the same number. */
export interface EventPacket {
  readonly event: string;
  readonly data?: unknown;
  /** A non-negative safe integer, chosen by the sender and unique among its unanswered requests. */
  readonly id?: number | undefined;
  /** The room, when the server sent the event to exactly one. */
  readonly room?: string | undefined;
  /**
   * Of a client's request that may be repeated, with the same `id`, on a later connection: it is handled once, and the
   * reply is given again. Not empty, at most {@link MAX_KEY_LENGTH}, and not to be guessed by others.
   */
  readonly key?: string | undefined;
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

/** The events of the protocol itself. `docs/PROTOCOL.md` section 4 has their data. */
export const ControlEvent = {
  /** From the client, first on a connection with a library subprotocol: a {@link Hello}. */
  hello: "hub:hello",
  /** From the server, the answer to `hello`, and first on every other connection: a {@link Welcome}. */
  welcome: "hub:welcome",
  /** From the server: something the client sent was refused. A {@link WireError}. */
  error: "hub:error",
  /** From the server, to clients with a library subprotocol: give a sign of life. */
  ping: "hub:ping",
  /** From the client: the sign of life. */
  pong: "hub:pong",
  /** From the client, a request: put me into this room. `{ room }`. */
  join: "hub:join",
  /** From the client, a request: take me out of this room. `{ room }`. */
  leave: "hub:leave",
  /** From the server, before it closes: a {@link Bye}. */
  bye: "hub:bye",
  /** From the server, in place of what this client did not get because it reads too slowly: a {@link Dropped}. */
  dropped: "hub:dropped",
} as const;

/** What a client with a library subprotocol says first. */
export interface Hello {
  /** The version that it speaks. */
  readonly protocol: number;
  /** Its credentials, in whatever form the application chose. */
  readonly auth?: unknown;
}

/** How the server greets. */
export interface Welcome {
  /** Of this socket; the next connection of the same client has another. */
  readonly id: string;
  readonly protocol: number;
  /** How often the server asks for a sign of life, in milliseconds; 0 for never. */
  readonly heartbeat: number;
  /** How long it waits for one, in milliseconds; 0 if it never asks. */
  readonly timeout: number;
}

/** What the client should do after the close that follows. */
export interface Bye {
  /** Whether to come back at all, whatever the close code says. */
  readonly reconnect: boolean;
  /** Wait at least this long, in milliseconds. Default: 0. */
  readonly after?: number;
  /** And then a random part of this, so that not everybody comes at once. Default: 0. */
  readonly spread?: number;
}

/** What is missing. */
export interface Dropped {
  /** How many messages. */
  readonly count: number;
}

/** The codes that the server itself puts into `hub:error` and error replies. */
export const WireErrorCode = {
  /** The message could not be decoded, or is not a packet. */
  badPacket: "bad-packet",
  /** A message outside the codec (binary, for JSON), and the application takes none. */
  unexpectedMessage: "unexpected-message",
  /** Nothing on the server handles this event. */
  unknownEvent: "unknown-event",
  /** The name begins with `hub:` and is not one a client may send, or not now. */
  reservedEvent: "reserved-event",
  /** The handler threw; the details stay on the server. */
  handlerFailed: "handler-failed",
  /** The data does not fit the application's contract; the message says where. */
  invalidData: "invalid-data",
  /** The client may not join or leave this room by itself. */
  notJoinable: "not-joinable",
  /** The client sends more than it may, and will be closed with 4005 if it goes on. The message was handled. */
  tooFast: "too-fast",
  /** So many of this client's messages are being handled that this one was not. */
  tooManyRequests: "too-many-requests",
  /** The socket would be in more rooms than it may. */
  tooManyRooms: "too-many-rooms",
  /** The first message was not the `hub:hello` that the subprotocol asks for. The connection is closed. */
  helloExpected: "hello-expected",
  /** `hub:hello` named a version that this server does not speak. The connection is closed. */
  unsupportedVersion: "unsupported-version",
  /** The credentials in `hub:hello` are not good. The connection is closed. */
  unauthorized: "unauthorized",
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
  const packet = value as { event?: unknown; id?: unknown; key?: unknown; reply?: unknown; error?: unknown };
  if (packet.event !== undefined) {
    checkEventName(packet.event);
    if (packet.id !== undefined) checkId(packet.id, "id");
    if (packet.key !== undefined) checkKey(packet.key);
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

function checkKey(key: unknown): void {
  if (typeof key !== "string" || key === "" || key.length > MAX_KEY_LENGTH) {
    throw new PacketError(`"key" must be a string of 1 to ${MAX_KEY_LENGTH} characters.`);
  }
}

function checkError(error: unknown): void {
  const { code, message } = (error ?? {}) as Partial<WireError>;
  if (typeof code !== "string" || typeof message !== "string") {
    throw new PacketError('"error" must be an object with the strings "code" and "message".');
  }
}
