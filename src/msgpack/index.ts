/**
 * The codec of MessagePack, for both sides: {@link msgpackCodec}. It needs the package `msgpackr`.
 *
 * @module roomcast/msgpack
 */

import { pack, packable } from "./packable.ts";
import { MessagePackReader } from "./reader.ts";
import { messagePackWeight } from "./weight.ts";
import type { Codec } from "../protocol/codec.ts";
import { isReply, type Packet } from "../protocol/packet.ts";

/**
 * The codec of protocol v1 in MessagePack, with one map in each binary message. Text messages go to the `message`
 * event.
 *
 * `Uint8Array`, `Date` and `Map` keep their type in both directions, also when nested, and so do the numbers that JSON
 * cannot represent. An integer that a number cannot hold exactly is a bigint. Everything else is as in JSON:
 * `undefined` and functions are left out of objects and are `null` in arrays, `toJSON` is honoured, an invalid `Date`
 * is `null`. Data may be nested about 500 deep, and a Map may have 1,024 keys that are not strings. A `Buffer` arrives
 * as a `Uint8Array`.
 *
 * The codec needs `msgpackr`, an optional peer dependency. It runs in Node.js and in browsers.
 *
 * @example
 * const hub = new Hub({ codecs: [msgpackCodec] });
 * const client = connect("wss://example.org", { codec: msgpackCodec });
 */
export const msgpackCodec: Codec & { readonly protocol: "roomcast.v1.msgpack" } = {
  protocol: "roomcast.v1.msgpack",

  encode(packet: Packet): Uint8Array {
    const given: Readonly<Record<string, unknown>> = { ...packet };
    const fields = new Map<string, unknown>();
    for (const name of isReply(packet) ? REPLY_FIELDS : EVENT_FIELDS) {
      const value = given[name];
      if (value === undefined) continue;
      const field = packable(value, "", 1);
      if (field === undefined) throw new TypeError(`MessagePack cannot represent a ${typeof value}.`);
      fields.set(name, field);
    }
    return pack(fields);
  },

  /** The position comes first, so that it can be added to a message that is encoded already. */
  stamp(message: string | Uint8Array, at: number): Uint8Array {
    const packet = message as Uint8Array;
    const place = pack(packable(at, "", 1));
    const stamped = new Uint8Array(AT.length + 1 + place.length + packet.length - 1);
    // A packet has so few fields that their number is in the first byte, in front of which the first of them goes.
    stamped[0] = (packet[0] as number) + 1;
    stamped.set(AT, 1);
    stamped.set(place, 1 + AT.length);
    stamped.set(packet.subarray(1), 1 + AT.length + place.length);
    return stamped;
  },

  decode(message: string | Uint8Array): unknown {
    return typeof message === "string" ? undefined : new MessagePackReader(message).read();
  },

  weight: (message, isBinary) => (isBinary ? messagePackWeight(message) : 2 * message.length),
};

const EVENT_FIELDS = ["event", "id", "key", "room", "data"];
/** The name of the field with the position: a str of two letters. */
const AT = new Uint8Array([0xa2, 0x61, 0x74]);

const REPLY_FIELDS = ["reply", "error", "data"];
