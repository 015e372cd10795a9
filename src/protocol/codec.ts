import { PacketError, type EventPacket, type Packet, type ReplyPacket } from "./packet.ts";

/**
 * Turns packets into messages and messages into packets. Replace it to speak another shape on the wire.
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
   * The WebSocket subprotocol by which library clients ask for this codec, such as `roomcast.v1.json`. Without one it
   * serves plain clients only.
   */
  readonly protocol?: string;

  /**
   * One message: a string becomes a text frame, bytes a binary frame.
   *
   * Called once for each send, however many sockets it goes to.
   *
   * @throws anything for data that it cannot represent; the caller sees `ERR_HUB_UNSERIALISABLE` with it as `cause`.
   */
  encode(packet: Packet): string | Uint8Array;

  /**
   * The packet inside a message (text as a string, binary as bytes), or `undefined` for a message that is none of the
   * codec's business, which then reaches the hub's `message` event. What it returns is checked: an event needs a
   * non-empty `event`, a reply an integer `reply`.
   *
   * @throws an error whose message is sent to the client in `hub:error`.
   */
  decode(message: string | Uint8Array): unknown;
}

/** Protocol v1 in JSON: one object for each text frame. Binary frames are left to the `message` event. */
export const jsonCodec: Codec & { readonly protocol: string } = {
  protocol: "roomcast.v1.json",

  /** The order of the fields is fixed, so that a person who reads the frames sees the name first. */
  encode(packet: Packet): string {
    const { event, reply, id, key, room, error, data } = packet as Partial<EventPacket & ReplyPacket>;
    const head = event === undefined ? `{"reply":${reply}` : `{"event":${JSON.stringify(event)}`;
    const body = error === undefined ? field("data", data) : field("error", error);
    return `${head}${field("id", id)}${field("key", key)}${field("room", room)}${body}}`;
  },

  decode(message: string | Uint8Array): unknown {
    if (typeof message !== "string") return undefined;
    try {
      return JSON.parse(message);
    } catch {
      // The parser's own text quotes the input, and differs between versions of the engine.
      throw new PacketError("The message is not valid JSON.");
    }
  },
};

/** Without a value there is no field; a value that JSON would silently leave out is an error. */
function field(name: string, value: unknown): string {
  if (value === undefined) return "";
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) throw new TypeError(`JSON cannot represent a ${typeof value}.`);
  return `,"${name}":${json}`;
}
