import type { Buffer } from "node:buffer";
import { HubError, messageOf } from "../errors.ts";
import { jsonCodec, type Codec } from "../protocol/codec.ts";
import { ControlEvent, isReply, PacketError, type Packet, type WireError } from "../protocol/packet.ts";
import type { DeliverySettings } from "./options.ts";
import { OutgoingFrame } from "./outgoing-frame.ts";
import type { Overload } from "./overload.ts";

/**
 * A message in the shape of each codec in use; a single frame where there is one codec, or all clients get the same.
 */
export type Encoding = OutgoingFrame | ReadonlyMap<Codec, OutgoingFrame>;

/** Weight of a byte in a codec that cannot tell: the most that was found for JSON without indices as keys. */
const UNKNOWN_WEIGHT = 52;

/** The most that a message may weigh for each byte that a message may have. */
const MAX_WEIGHT = 24;

/**
 * Messages that are smaller than this may weigh as much as one of this size, because the packet itself weighs
 * something.
 */
const SMALL_MESSAGE = 64 * 1024;

/** The settings of the codecs of a hub. */
interface CodecSettings extends Omit<DeliverySettings, "overload"> {
  readonly maxMessageBytes: number;
}

/** The codecs that a hub speaks, and how many of its members speak each. */
export class Codecs {
  /** The codec of clients that ask for none. */
  readonly plain: Codec;
  /** All codecs that clients may speak, each once. */
  readonly all: readonly Codec[];
  readonly #areStamped: boolean;
  readonly #byProtocol: ReadonlyMap<string, Codec>;
  readonly #maxBytes: number;
  readonly #maxWeight: number;
  /** Number of members that speak each codec other than `plain`. */
  readonly #others = new Map<Codec, number>();

  constructor({ codec: plain, codecs, maxBufferedBytes, maxMessageBytes }: CodecSettings) {
    // JSON is always spoken, unless a codec of the application's takes its place.
    const speaksJson = codecs.some(({ protocol }) => protocol === jsonCodec.protocol);
    const asked = speaksJson ? codecs : [...codecs, jsonCodec];
    this.plain = plain;
    this.all = [...new Set([plain, ...asked])];
    this.#areStamped = this.all.every((spoken) => spoken.stamp !== undefined);
    this.#byProtocol = new Map(asked.map((codec) => [codec.protocol ?? "", codec]));
    this.#maxBytes = maxBufferedBytes;
    this.#maxWeight = MAX_WEIGHT * Math.max(maxMessageBytes, SMALL_MESSAGE);
  }

  /** The subprotocols of library clients. */
  get protocols(): readonly string[] {
    return [...this.#byProtocol.keys()];
  }

  /**
   * Returns the codec of a library client with this subprotocol; `undefined` for a subprotocol that is not the
   * library's.
   */
  of(protocol: string): Codec | undefined {
    return this.#byProtocol.get(protocol);
  }

  /**
   * Returns the name by which other nodes know this codec: its subprotocol, or an empty string for that of plain
   * clients.
   */
  nameOf(codec: Codec): string {
    return codec === this.plain ? "" : (codec.protocol ?? "");
  }

  /** Returns the codec with this name. */
  named(name: string): Codec | undefined {
    return name === "" ? this.plain : this.#byProtocol.get(name);
  }

  /** The codecs that a member speaks now, and that of plain clients. */
  get inUse(): readonly Codec[] {
    return [this.plain, ...this.#others.keys()];
  }

  /** Whether every client sees the place of a recorded event in the event. */
  get areStamped(): boolean {
    return this.#areStamped;
  }

  /** Whether every member speaks `plain`. */
  get areUniform(): boolean {
    return this.#others.size === 0;
  }

  /**
   * Returns the weight of a message: about how many bytes it takes in memory once it is decoded and copied once. For a
   * codec that cannot tell, the weight is a guess, for which no message is refused.
   *
   * @throws {PacketError} for a message that is too deep or too heavy to be decoded.
   */
  weigh(codec: Codec, data: Buffer, isBinary: boolean): number {
    if (codec.weight === undefined) return UNKNOWN_WEIGHT * data.length;
    const weight = codec.weight(data, isBinary);
    if (weight > this.#maxWeight) throw new PacketError("The message holds more values than this server takes.");
    return weight;
  }

  joined(codec: Codec): void {
    if (codec !== this.plain) this.#others.set(codec, (this.#others.get(codec) ?? 0) + 1);
  }

  left(codec: Codec): void {
    const count = this.#others.get(codec);
    if (count === undefined) return;
    if (count > 1) this.#others.set(codec, count - 1);
    else this.#others.delete(codec);
  }

  /**
   * Encodes a packet for all members of this node or, if `wide`, for those of any node.
   *
   * @param compress - whether the messages may be compressed. Default, here and below: `true`.
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  encodeForAll(packet: Packet, wide: boolean, overload?: Overload, compress?: boolean): Encoding {
    if (wide ? this.all.length === 1 : this.areUniform) return this.encode(packet, this.plain, overload, compress);
    const codecs = wide ? this.all : this.inUse;
    return new Map(codecs.map((codec) => [codec, this.encode(packet, codec, overload, compress)]));
  }

  /** Returns what was encoded in all codecs in their order. */
  encodingOf(frames: readonly OutgoingFrame[]): Encoding {
    const [frame] = frames;
    if (frame !== undefined && frames.length === 1) return frame;
    return new Map(this.all.map((codec, index) => [codec, frames[index] as OutgoingFrame]));
  }

  /**
   * Encodes an event with this place in the record of its room, in all codecs in their order.
   *
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  encodeRecorded(packet: Packet, at: number, overload: Overload, compress: boolean): readonly OutgoingFrame[] {
    return this.all.map((codec) => this.encode(packet, codec, overload, compress, at));
  }

  /**
   * Encodes a packet in one codec.
   *
   * @param at - the place of an event in the record of its room. Default: the event is in none.
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  encode(packet: Packet, codec: Codec, overload?: Overload, compress?: boolean, at?: number): OutgoingFrame {
    let message: string | Uint8Array;
    try {
      message = codec.encode(packet);
      if (at !== undefined && codec.stamp !== undefined) message = codec.stamp(message, at);
    } catch (error) {
      const subject = isReply(packet) ? "the reply" : `the data of "${packet.event}"`;
      const why = messageOf(error);
      throw new HubError("ERR_HUB_UNSERIALISABLE", `The codec cannot encode ${subject}: ${why}`, { cause: error });
    }
    return this.frame(message, overload, compress);
  }

  /**
   * Returns the error as this codec can encode it: without the data that the application has added, if it cannot encode
   * those. A refusal stays one.
   *
   * @param failed - called with the reason.
   */
  encodable<E extends WireError>(error: E, codec: Codec, failed: (reason: unknown) => void): E {
    if (error.data === undefined) return error;
    try {
      this.encode({ event: ControlEvent.error, data: error.data }, codec);
      return error;
    } catch (reason) {
      failed(reason);
      return { ...error, data: undefined };
    }
  }

  /**
   * Makes the frame of a message that is sent as it is.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  frame(message: string | Uint8Array, overload?: Overload, compress?: boolean): OutgoingFrame {
    if (typeof message !== "string" && !(message instanceof Uint8Array)) {
      throw new HubError("ERR_HUB_ARGUMENT", `A message must be a string or a Uint8Array, not ${typeof message}.`);
    }
    return this.#checked(new OutgoingFrame(message, overload, undefined, compress));
  }

  /**
   * Makes the frame of a message that another node has encoded.
   *
   * @throws {HubError} `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  encoded(payload: Uint8Array, binary: boolean, overload?: Overload, compress?: boolean): OutgoingFrame {
    return this.#checked(new OutgoingFrame(payload, overload, binary, compress));
  }

  /**
   * Makes the frames of an event that was encoded before its place in the record of its room was known, in all codecs in
   * their order. A codec that the encoding lacks, because another node does not have it, encodes the event now.
   *
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   * @throws {RangeError} for an encoding without any codec of this node.
   */
  placed(
    encoded: ReadonlyMap<Codec, string | Uint8Array>,
    at: number,
    overload: Overload,
    compress: boolean,
  ): readonly OutgoingFrame[] {
    return this.all.map((codec) => {
      const message = encoded.get(codec);
      if (message !== undefined) return this.frame(codec.stamp?.(message, at) ?? message, overload, compress);
      for (const [other, text] of encoded) {
        return this.encode(other.decode(text) as Packet, codec, overload, compress, at);
      }
      throw new RangeError("The event is in no codec that this node speaks. Give all nodes the same codecs.");
    });
  }

  #checked(frame: OutgoingFrame): OutgoingFrame {
    const most = this.#maxBytes;
    if (frame.bytes.length > most) {
      throw new HubError(
        "ERR_HUB_MESSAGE_TOO_LARGE",
        `The message takes ${frame.bytes.length} bytes, but at most ${most} may wait for one socket. ` +
          `Send less at a time or raise the option "maxBufferedBytes".`,
      );
    }
    return frame;
  }
}
