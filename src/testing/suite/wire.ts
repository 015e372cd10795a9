import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { jsonCodec, type Codec } from "../../protocol/codec.ts";
import type { Packet } from "../../protocol/packet.ts";
import { Opcode, rawFrame, type RawFrameOptions } from "../raw-frame.ts";

/** Leaves every message to the `message` event. */
export const NO_CODEC: Codec = { encode: (packet) => JSON.stringify(packet), decode: () => undefined };

/** What packets are on the wire, in the codec of the subject. */
export class Wire {
  readonly codec: Codec;

  constructor(codec: Codec | undefined) {
    this.codec = codec ?? jsonCodec;
  }

  /** Whether tests apply that send text of their own. */
  get isJson(): boolean {
    return this.codec === jsonCodec;
  }

  /** The opcode of a packet's frame. */
  get opcode(): number {
    return this.#isText ? Opcode.text : Opcode.binary;
  }

  /** The payload of a packet's frame. */
  payload(packet: Packet): Buffer {
    return Buffer.from(this.codec.encode(packet) as string);
  }

  /** A packet as a raw client sends it. */
  frame(packet: Packet, options?: RawFrameOptions): Buffer {
    return rawFrame(this.opcode, this.payload(packet), options);
  }

  /** A packet as `ClientFixture.heard` tells it. */
  heard(packet: Packet): string | readonly number[] {
    const message = this.codec.encode(packet);
    return typeof message === "string" ? message : [...message];
  }

  /** Messages that are none of the codec's: binary where packets are text, text where they are binary. */
  foreign(byte: number): string | Buffer {
    return this.#isText ? Buffer.from([byte]) : String.fromCodePoint(byte);
  }

  decode(message: string | Uint8Array | undefined): unknown {
    assert.notEqual(message, undefined, "the connection ended before a packet came");
    const packet = this.codec.decode(message as string | Uint8Array);
    assert.notEqual(packet, undefined, "a packet was expected");
    return packet;
  }

  get #isText(): boolean {
    return typeof this.codec.encode({ event: "any" }) === "string";
  }
}
