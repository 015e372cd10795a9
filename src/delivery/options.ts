import { hasFunctions, isInteger, MAX_BYTES, type Options } from "../checks/option-rules.ts";
import { areTokens } from "../checks/tokens.ts";
import { jsonCodec, type Codec } from "../protocol/codec.ts";
import { isOverloadPolicy, type OverloadPolicy } from "./overload.ts";

/** The settings of delivery and its codecs. */
export interface DeliverySettings {
  /** The shape of packets on the wire. Default: {@link jsonCodec}, protocol v1. */
  readonly codec: Codec;

  /**
   * The codecs that library clients may speak besides {@link jsonCodec}: each codec has a `protocol`, the subprotocol
   * by which clients ask for it. For MessagePack: `[msgpackCodec]` from `roomcast/msgpack`. Default: none.
   */
  readonly codecs: readonly Codec[];

  /**
   * The most bytes that are held for one socket, in the hub and in the transport together. A client that reads so
   * slowly that this would be exceeded is treated as `overload` says. A single message above it cannot be sent at all.
   * At least 1 KiB. Default: 4 MiB.
   */
  readonly maxBufferedBytes: number;

  /**
   * The policy for an event or a message to a client that reads too slowly: `"close"` the connection with 4101, or
   * `"drop"` the message and tell the client with `hub:dropped`. Requests and replies always close. `target.overload`
   * and `target.latest` replace this policy.
   *
   * Default: `"close"`.
   */
  readonly overload: OverloadPolicy;
}

/** The least value of `maxBufferedBytes`, below which no useful message fits. */
const MIN_BUFFERED_BYTES = 1024;

export const deliveryOptions: Options<DeliverySettings> = {
  codec: { default: jsonCodec, rule: ['an object with the functions "encode" and "decode"', isCodec] },
  codecs: {
    default: [],
    rule: [
      'an array of codecs, each with the functions "encode" and "decode" and a subprotocol of its own in "protocol"',
      areCodecs,
    ],
  },
  maxBufferedBytes: {
    default: 4 * 1024 * 1024,
    rule: [
      `a whole number of bytes from ${MIN_BUFFERED_BYTES} to ${MAX_BYTES}`,
      (value) => isInteger(value, MIN_BUFFERED_BYTES, MAX_BYTES),
    ],
  },
  overload: { default: "close", rule: ['"close" or "drop"', isOverloadPolicy] },
};

function isCodec(value: unknown): boolean {
  return hasFunctions(value, "encode", "decode");
}

function areCodecs(value: unknown): boolean {
  if (!Array.isArray(value) || !value.every(isCodec)) return false;
  const protocols = value.map(({ protocol }: Codec) => protocol);
  return areTokens(protocols) && new Set(protocols).size === protocols.length;
}
