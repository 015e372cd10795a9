import * as fc from "fast-check";
import { jsonCodec } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { expect, test } from "vitest";

const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
const event = fc.record({ event: name, data: fc.jsonValue(), room: name }, { requiredKeys: ["event"] });

test.each([
  ["JSON", jsonCodec],
  ["MessagePack", msgpackCodec],
])("a stamp adds the position to an event in %s, and changes nothing else", (_, codec) => {
  fc.assert(
    fc.property(event, fc.maxSafeNat(), (packet, at) => {
      const message = codec.encode(packet);
      const stamped = codec.decode(codec.stamp?.(message, at) ?? "");
      const plain = codec.decode(message) as object;
      expect(stamped).toStrictEqual({ at, ...plain });
    }),
  );
});
