/** The version of the protocol that this file implements. `docs/PROTOCOL.md` describes it. */
export const PROTOCOL_VERSION = 1;

/** The prefix of the protocol's own event names. Applications may not use it. */
export const RESERVED_PREFIX = "hub:";

/** The most UTF-16 code units that the name of an event may have. */
export const MAX_EVENT_NAME_LENGTH = 256;

/** The most UTF-16 code units that the `stream` of a position has. */
export const MAX_STREAM_LENGTH = 256;

/** The most UTF-16 code units that the key of a request may have. */
export const MAX_KEY_LENGTH = 64;

/**
 * An event, in either direction. An event with an `id` is a request: its sender expects a reply with the same number.
 */
export interface EventPacket {
  readonly event: string;
  readonly data?: unknown;
  /** A non-negative safe integer that the sender chose, unique among the sender's unanswered requests. */
  readonly id?: number | undefined;
  /** The room, if the server sent the event to exactly one room. */
  readonly room?: string | undefined;
  /**
   * The key of a client's request that may be repeated, with the same `id`, on a later connection. The server handles
   * such a request once and gives the same reply again. A key has 1 to {@link MAX_KEY_LENGTH} code units, and others
   * must not be able to guess it.
   */
  readonly key?: string | undefined;
  /**
   * The place of the event in the record of its room, if the server keeps one. The server puts it into the encoded
   * message: see {@link Codec.stamp}.
   */
  readonly at?: number | undefined;
}

/** The error in a reply or in `hub:error`. */
export interface WireError {
  /** A short word on which a program can branch: a {@link WireErrorCode}, or a code that the application chose. */
  readonly code: string;
  /** A sentence for the developer. */
  readonly message: string;
  /** What the program that refused has added, if anything. */
  readonly data?: unknown;
}

/** The reply to the request whose `id` equals `reply`. */
export interface ReplyPacket {
  readonly reply: number;
  readonly data?: unknown;
  readonly error?: WireError;
}

/** A packet is the logical unit of the protocol. A codec turns it into the bytes of one message and back. */
export type Packet = EventPacket | ReplyPacket;

/** Tells whether a packet is a reply. An object with an `event` is an event, whatever else it holds. */
export function isReply(packet: Packet): packet is ReplyPacket {
  return (packet as Partial<EventPacket>).event === undefined;
}

/** The events of the protocol itself. `docs/PROTOCOL.md` section 4 describes their data. */
export const ControlEvent = {
  /** The client sends this first on a connection with a library subprotocol. The data is a {@link Hello}. */
  hello: "hub:hello",
  /**
   * The server sends this in answer to `hub:hello`, and first on every other connection. The data is a {@link Welcome}.
   */
  welcome: "hub:welcome",
  /** The server sends this when it refuses something that the client sent. The data is a {@link WireError}. */
  error: "hub:error",
  /** The server sends this to clients with a library subprotocol, to ask for a sign of life. */
  ping: "hub:ping",
  /** The client sends this as its sign of life, in answer to `hub:ping`. */
  pong: "hub:pong",
  /** The client sends this as a request to join a room, or several. The data is a {@link RoomRequest}. */
  join: "hub:join",
  /** The client sends this as a request to leave a room, or several. The data is a {@link RoomRequest}. */
  leave: "hub:leave",
  /** The client sends this as a request that the server answers when it has taken everything that was sent before. */
  sync: "hub:sync",
  /** The server sends this before it closes the connection. The data is a {@link Bye}. */
  bye: "hub:bye",
  /**
   * The server sends this in place of messages that it left out because the client reads too slowly. The data is a
   * {@link Dropped}.
   */
  dropped: "hub:dropped",
  /**
   * The server sends this when a client's position in a room begins: when it joins, and when something may be missing. The
   * data is a {@link RecordNotice}.
   */
  record: "hub:record",
  /** The server sends this when it has taken the client out of a room that is recorded. The data is a {@link Left}. */
  left: "hub:left",
  /**
   * The server sends this to a client that has asked who is present in a room: everybody, and then what changes. The data
   * is a {@link PresenceNotice}.
   */
  presence: "hub:presence",
} as const;

/** The data of `hub:hello`, the first packet of a client with a library subprotocol. */
export interface Hello {
  /** The version of the protocol that the client implements. */
  readonly protocol: number;
  /** The client's credentials, in whatever form the application chose. */
  readonly auth?: unknown;
  /** The `home` of the last welcome or, where it had none, its `id`; absent on the first connection. */
  readonly home?: string | undefined;
  /** The client's {@link Position} in each room that the server puts it into. */
  readonly since?: Readonly<Record<string, Position>> | undefined;
}

/** The data of `hub:welcome`, the first packet of the server. */
export interface Welcome {
  /** The id of this socket. The next connection of the same client gets another. */
  readonly id: string;
  readonly protocol: number;
  /** The time between two of the server's requests for a sign of life, in milliseconds; 0 if there are none. */
  readonly heartbeat: number;
  /** The time that the server waits for a sign of life, in milliseconds; 0 if it never asks for one. */
  readonly timeout: number;
  /** The bytes of messages that the client may send ahead of what the server has taken, each with 256 bytes more. */
  readonly window: number;
  /**
   * The `home` of the client's hello, if it still is: the socket whose server process remembers the requests with a key
   * that the client has sent.
   */
  readonly home?: string | undefined;
}

/** The most rooms that one `hub:join` or `hub:leave` may name. */
export const MAX_ROOMS_PER_REQUEST = 100;

/**
 * The data of `hub:join` and `hub:leave`: one room, or several. In `hub:join` it may have the client's position in the room,
 * or those in the rooms by their names; and `presence` if the client wants to know who is present, in all of the rooms or in
 * those of the list.
 */
export type RoomRequest =
  | { readonly room: string; readonly since?: Position | undefined; readonly presence?: boolean | undefined }
  | {
      readonly rooms: readonly string[];
      readonly since?: Readonly<Record<string, Position>> | undefined;
      readonly presence?: boolean | readonly string[] | undefined;
    };

/** A room that the server refused, with the reason. */
export interface RefusedRoom extends WireError {
  readonly room: string;
}

/** The data of the reply to a {@link RoomRequest} for several rooms of which some were refused. */
export interface RoomReply {
  readonly refused: readonly RefusedRoom[];
}

/** A place in the record of a room: everything up to here is known to the client. */
export interface Position {
  /** The record, and the sockets that the client has had: a text that only the server understands. */
  readonly stream: string;
  /** The place of the last event that the client got. */
  readonly at: number;
}

/** The reason why something may be missing before a position. */
export type GapReason =
  /** More was missed than the server keeps. */
  | "trimmed"
  /** The record is not the one in which the client's position was. */
  | "epoch"
  /** While the client was getting what it missed, more was sent than the server keeps. */
  | "overrun"
  /** Events were lost before they were recorded, and nobody knows which. */
  | "hole"
  /** The server could not reach the record when the client came. */
  | "unavailable";

/** The data of `hub:record`: the client's position in this room is here. */
export interface RecordNotice extends Position {
  readonly room: string;
  /** Present if something may be missing between the position that the client had and this one. */
  readonly gap?: GapReason | undefined;
}

/** The data of `hub:left`. */
export interface Left {
  readonly room: string;
}

/** The data of `hub:presence`: who is present in a room, or what has changed. */
export interface PresenceNotice {
  readonly room: string;
  /** The number of the notice: one more than that of the last one about this room, except for a `reset`. */
  readonly v: number;
  /** Present if `in` is everybody: what the client knew before counts no more. */
  readonly reset?: true | undefined;
  /** The users who have come, or whose data has changed: their ids and data, `null` for those without. */
  readonly in?: readonly (readonly [id: string, data: unknown])[] | undefined;
  /** The ids of the users who have gone. */
  readonly out?: readonly string[] | undefined;
  /** The number of users. Without `reset`, `in` and `out`, they are too many to be named, and this is all that is known. */
  readonly count: number;
}

/** The data of `hub:bye`: what the client does after the close that follows. */
export interface Bye {
  /** Whether the client reconnects at all, whatever the close code says. */
  readonly reconnect: boolean;
  /** The time that the client waits at least, in milliseconds. Default: 0. */
  readonly after?: number;
  /**
   * The most that the client adds to `after`, in milliseconds: it adds a random part of this, so that the clients do
   * not all reconnect at the same moment. Default: 0.
   */
  readonly spread?: number;
}

/** The data of `hub:dropped`: what is missing. */
export interface Dropped {
  /** The number of messages that the server left out. */
  readonly count: number;
}

/** The codes that the server itself puts into `hub:error` and into error replies. */
export const WireErrorCode = {
  /** The message could not be decoded, or is not a packet. */
  badPacket: "bad-packet",
  /** The message is not meant for the codec (for JSON, it is binary), and the application takes no such messages. */
  unexpectedMessage: "unexpected-message",
  /** The server has no handler for this event. */
  unknownEvent: "unknown-event",
  /** The name begins with `hub:`, and clients may not send this event, or not now. */
  reservedEvent: "reserved-event",
  /** The handler threw; the details stay on the server. */
  handlerFailed: "handler-failed",
  /** The data does not fit the application's contract. The message says where. */
  invalidData: "invalid-data",
  /** The application does not let the client join or leave this room. */
  notJoinable: "not-joinable",
  /** The client sends more than it may. The message was handled; if the client goes on, it is closed with 4005. */
  tooFast: "too-fast",
  /** The message was not handled, because too many of this client's messages are being handled already. */
  tooManyRequests: "too-many-requests",
  /** The request was handled before, when its reply was lost, and the server has not kept the reply. */
  replyGone: "reply-gone",
  /** The socket would be in more rooms than the server allows. */
  tooManyRooms: "too-many-rooms",
  /** The first message was not the `hub:hello` that the subprotocol requires. The server closes the connection. */
  helloExpected: "hello-expected",
  /** `hub:hello` named a version that this server does not implement. The server closes the connection. */
  unsupportedVersion: "unsupported-version",
  /** The credentials in `hub:hello` were rejected. The server closes the connection. */
  unauthorized: "unauthorized",
} as const;

/**
 * Tells whether an error with this code may pass: the server has failed or was busy, and has not refused. Every other
 * code, those of applications included, is a refusal.
 *
 * The codes are written out because this function is part of the client's bundle, and {@link WireErrorCode} need not be.
 */
export function isPassing(code: string): boolean {
  return /^(handler-failed|too-(fast|many-requests))$/.test(code);
}

/** Says why a value is not a packet. The message is meant for the peer that sent the value. */
export class PacketError extends Error {
  override readonly name = "PacketError";
}

/**
 * Checks that a decoded value has the shape of a packet. Unknown fields are allowed and ignored.
 *
 * @throws {PacketError} The message names the field that is wrong.
 */
export function parsePacket(value: unknown): Packet {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new PacketError('A packet is an object such as {"event":"name","data":…}.');
  }
  const packet = value as { event?: unknown; id?: unknown; key?: unknown; reply?: unknown; error?: unknown };
  if (packet.event !== undefined) {
    checkEventName(packet.event);
    if (packet.id !== undefined) checkId(packet.id, "id");
    if (isKeyed(value as EventPacket)) checkKey(packet.key);
    return value as EventPacket;
  }
  if (packet.reply === undefined) {
    throw new PacketError('A packet has a string "event" or a number "reply".');
  }
  checkId(packet.reply, "reply");
  if (packet.error !== undefined) checkError(packet.error);
  return value as ReplyPacket;
}

/**
 * Returns whether a request may be repeated; a key has no meaning in any other packet. A control request concerns the
 * connection that it comes on, and is handled again on every other one.
 */
export function isKeyed({ event, id, key }: EventPacket): boolean {
  return id !== undefined && key !== undefined && !event.startsWith(RESERVED_PREFIX);
}

function checkEventName(event: unknown): void {
  if (typeof event !== "string" || event === "") throw new PacketError('"event" must be a non-empty string.');
  if (event.length > MAX_EVENT_NAME_LENGTH) {
    throw new PacketError(`"event" must be at most ${MAX_EVENT_NAME_LENGTH} characters.`);
  }
  if (!event.isWellFormed()) throw new PacketError('"event" must be well-formed: it has half a surrogate pair.');
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
  if (!key.isWellFormed()) throw new PacketError('"key" must be well-formed: it has half a surrogate pair.');
}

function checkError(error: unknown): void {
  const { code, message } = (error ?? {}) as Partial<WireError>;
  if (typeof code !== "string" || typeof message !== "string") {
    throw new PacketError('"error" must be an object with the strings "code" and "message".');
  }
}
