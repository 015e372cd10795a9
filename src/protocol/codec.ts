import { jsonWeight } from "./json-weight.ts";
import { PacketError, type EventPacket, type Packet, type ReplyPacket } from "./packet.ts";

/**
 * A codec turns packets into messages and messages into packets. Replace it to use another format on the wire.
 *
 * @example A hub that speaks flat objects, `{"type":"chat","text":"hi"}`:
 * const flat: Codec = {
 *   encode: (packet) => JSON.stringify("event" in packet ? { type: packet.event, ...packet.data } : packet),
 *   decode: (message) => {
 *     const { type, ...data } = JSON.parse(String(message));
 *     return { event: type, data };
 *   },
 * };
 */
export interface Codec {
  /**
   * The WebSocket subprotocol by which library clients ask for this codec, such as `roomcast.v1.json`. A codec without
   * a subprotocol serves plain clients only.
   */
  readonly protocol?: string;

  /**
   * Encodes a packet as one message: a string is sent as a text frame, bytes as a binary frame.
   *
   * The hub calls this once for each send, however many sockets the packet goes to. Text in the data may hold lone
   * surrogates, which clients can send in JSON: a codec that writes escapes replaces them, as {@link jsonCodec} does.
   *
   * @throws any error, for data that the codec cannot represent. The caller gets `ERR_HUB_UNSERIALISABLE` with that
   *   error as its `cause`.
   */
  encode(packet: Packet): string | Uint8Array;

  /**
   * Decodes the packet inside a message (text as a string, binary as bytes). For a message that is not meant for the
   * codec it returns `undefined`, and the hub's `message` event gets the message.
   *
   * The hub checks what the codec returns: an event needs a non-empty `event`, a reply an integer `reply`.
   *
   * @throws an error whose message is sent to the client in `hub:error`.
   */
  decode(message: string | Uint8Array): unknown;

  /**
   * Adds the field `at` to the message of an event: the place of the event in the record of its room.
   *
   * For a codec without this function, `hub:record` follows each recorded event, so that its clients know their positions.
   * Something may then reach a client twice that it got just before its connection was lost.
   *
   * @param message - as {@link encode} has returned it.
   * @throws any error: see {@link encode}.
   */
  stamp?(message: string | Uint8Array, at: number): string | Uint8Array;

  /**
   * Returns about how many bytes a message takes in memory once it is decoded and copied once, without decoding it. The
   * hub refuses a message above `24 * maxMessageBytes`, or 1.5 MiB if that is more, and bounds the sum of what handlers
   * are at work on.
   *
   * A codec without this function is taken to need 52 bytes for each byte, which is the worst of most shapes, and has
   * no message refused for it. A codec that parses JSON can use {@link jsonWeight}.
   *
   * @param message - the UTF-8 of a text message, or the bytes of a binary one.
   * @throws an error whose message is sent to the client in `hub:error`.
   */
  weight?(message: Uint8Array, isBinary: boolean): number;
}

/** The codec of protocol v1 in JSON, with one object in each text frame. Binary frames go to the `message` event. */
export const jsonCodec: Codec & { readonly protocol: string } = {
  protocol: "roomcast.v1.json",

  /** The order of the fields is fixed, so that a person who reads the frames sees the name first. */
  encode(packet: Packet): string {
    const { event, reply, id, key, room, error, data } = packet as Partial<EventPacket & ReplyPacket>;
    const head = event === undefined ? `{"reply":${reply}` : `{"event":${JSON.stringify(event)}`;
    const body = error === undefined ? field("data", data) : field("error", error);
    return wellFormed(`${head}${field("id", id)}${field("key", key)}${field("room", room)}${body}}`);
  },

  decode(message: string | Uint8Array): unknown {
    if (typeof message !== "string") return undefined;
    try {
      return JSON.parse(message);
    } catch {
      // The parser's own text quotes the input and differs between versions of the engine.
      throw new PacketError("The message is not valid JSON.");
    }
  },

  /** The position comes first, so that it can be added to a message that is encoded already. */
  stamp: (message, at) => `{"at":${at},${String(message).slice(1)}`,

  weight: (message, isBinary) => (isBinary ? message.length : jsonWeight(message)),
};

/**
 * Replaces lone surrogates, which `JSON.stringify` writes as escapes, by U+FFFD: they stand for no character, and the
 * parsers of many languages refuse a whole text that has one.
 */
function wellFormed(json: string): string {
  return json.includes(ESCAPE) ? json.replaceAll(LONE_SURROGATES, "\uFFFD") : json;
}

/** The beginning of the escape of a surrogate. */
const ESCAPE = String.raw`\ud`;

/**
 * The escapes of surrogates, each behind an even number of backslashes. The engine looks back only where it has found
 * an escape: if the lookbehind stood first, a long run of backslashes would take quadratic time.
 */
const LONE_SURROGATES = /\\ud[89a-f][\da-f]{2}(?<=[^\\](?:\\\\)*\\u....)/g;

/** Encodes one field. A value of `undefined` makes no field; a value that JSON would silently leave out is an error. */
function field(name: string, value: unknown): string {
  if (value === undefined) return "";
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) {
    const advice = typeof value === "function" ? " For a reply use request(), which takes no callback." : "";
    throw new TypeError(`JSON cannot represent a ${typeof value}.${advice}`);
  }
  return `,"${name}":${json}`;
}
