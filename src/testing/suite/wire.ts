import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { jsonCodec, type Codec } from "../../protocol/codec.ts";
import type { Packet } from "../../protocol/packet.ts";
import { Opcode, rawFrame, type RawFrameOptions } from "../raw-frame.ts";

/** A codec that leaves every message to the `message` event. */
export const NO_CODEC: Codec = { encode: (packet) => JSON.stringify(packet), decode: () => undefined };

/** Packets on the wire, in the codec of the subject. */
export class Wire {
  readonly codec: Codec;

  constructor(codec: Codec | undefined) {
    this.codec = codec ?? jsonCodec;
  }

  /** Whether the codec is JSON, so that tests apply which write JSON text themselves. */
  get isJson(): boolean {
    return this.codec === jsonCodec;
  }

  /** The opcode of a packet's frame. */
  get opcode(): number {
    return this.#isText ? Opcode.text : Opcode.binary;
  }

  /** Encodes the payload of a packet's frame. */
  payload(packet: Packet): Buffer {
    return Buffer.from(this.codec.encode(packet) as string);
  }

  /** Encodes a packet as a raw client sends it. */
  frame(packet: Packet, options?: RawFrameOptions): Buffer {
    return rawFrame(this.opcode, this.payload(packet), options);
  }

  /** Encodes a packet in the form in which `ClientFixture.heard` returns it. */
  heard(packet: Packet): string | readonly number[] {
    const message = this.codec.encode(packet);
    return typeof message === "string" ? message : [...message];
  }

  /** Creates a message that is no packet: binary if packets are text, text if they are binary. */
  foreign(byte: number): string | Buffer {
    return this.#isText ? Buffer.from([byte]) : String.fromCodePoint(byte);
  }

  /** Decodes a message, which must be a packet. */
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
