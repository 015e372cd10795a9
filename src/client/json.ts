import type { Codec, jsonCodec } from "../protocol/codec.ts";

/** What `jsonCodec` speaks, in fewer bytes: the order of the fields has no meaning, and the hub has it for people only. */
export const json: Codec & { readonly protocol: string } = {
  protocol: "roomcast.v1.json" satisfies typeof jsonCodec.protocol,

  encode(packet) {
    const { data } = packet;
    // JSON would leave it out silently.
    if (typeof data === "function") throw new TypeError("It is a function.");
    return JSON.stringify(packet);
  },

  decode: (message) => (typeof message === "string" ? JSON.parse(message) : undefined),
};
