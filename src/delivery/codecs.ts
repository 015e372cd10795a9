import { HubError, messageOf } from "../errors.ts";
import type { Overload } from "./overload.ts";
import { Parcel } from "./outgoing-frame.ts";
import type { Codec } from "../protocol/codec.ts";
import { isReply, type Packet } from "../protocol/packet.ts";

/** A message in the shape of each codec that counts; alone where that is one, or where all clients get the same. */
export type Encoding = Parcel | ReadonlyMap<Codec, Parcel>;

/** The codecs that a hub speaks, and how many of its members speak each. */
export class Codecs {
  /** Of the clients that ask for none. */
  readonly plain: Codec;
  /** All that clients may speak, each once. */
  readonly all: readonly Codec[];
  readonly #byProtocol: ReadonlyMap<string, Codec>;
  readonly #maxBytes: number;
  /** How many members speak each of the others. */
  readonly #others = new Map<Codec, number>();

  /** `asked` are those that clients ask for by their subprotocol; `maxBytes` is the most that a frame may take. */
  constructor(plain: Codec, asked: readonly Codec[], maxBytes: number) {
    this.plain = plain;
    this.all = [...new Set([plain, ...asked])];
    this.#byProtocol = new Map(asked.map((codec) => [codec.protocol ?? "", codec]));
    this.#maxBytes = maxBytes;
  }

  /** The subprotocols of library clients. */
  get protocols(): readonly string[] {
    return [...this.#byProtocol.keys()];
  }

  /** What a library client with this subprotocol speaks; `undefined` if it is not one of theirs. */
  of(protocol: string): Codec | undefined {
    return this.#byProtocol.get(protocol);
  }

  /** By what other nodes know this codec: its subprotocol, and nothing for that of plain clients. */
  nameOf(codec: Codec): string {
    return codec === this.plain ? "" : (codec.protocol ?? "");
  }

  /** The codec with this name. */
  named(name: string): Codec | undefined {
    return name === "" ? this.plain : this.#byProtocol.get(name);
  }

  /** The codecs that somebody speaks now, and that of plain clients. */
  get inUse(): readonly Codec[] {
    return [this.plain, ...this.#others.keys()];
  }

  /** Whether everybody speaks `plain`. */
  get areUniform(): boolean {
    return this.#others.size === 0;
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
   * The frames of a packet, for everybody who is connected, or, if `wide`, whoever may be on any node.
   *
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  encodeForAll(packet: Packet, wide: boolean, overload?: Overload): Encoding {
    if (wide ? this.all.length === 1 : this.areUniform) return this.encode(packet, this.plain, overload);
    const codecs = wide ? this.all : this.inUse;
    return new Map(codecs.map((codec) => [codec, this.encode(packet, codec, overload)]));
  }

  /**
   * The frame of a packet.
   *
   * @throws {HubError} `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  encode(packet: Packet, codec: Codec, overload?: Overload): Parcel {
    let message: string | Uint8Array;
    try {
      message = codec.encode(packet);
    } catch (error) {
      const subject = isReply(packet) ? "the reply" : `the data of "${packet.event}"`;
      const why = messageOf(error);
      throw new HubError("ERR_HUB_UNSERIALISABLE", `The codec cannot encode ${subject}: ${why}`, { cause: error });
    }
    return this.frame(message, overload);
  }

  /**
   * The frame of a message that is sent as it is.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  frame(message: string | Uint8Array, overload?: Overload): Parcel {
    if (typeof message !== "string" && !(message instanceof Uint8Array)) {
      throw new HubError("ERR_HUB_ARGUMENT", `A message must be a string or a Uint8Array, not ${typeof message}.`);
    }
    return this.#checked(new Parcel(message, overload));
  }

  /**
   * The frame of what another node has encoded.
   *
   * @throws {HubError} `ERR_HUB_MESSAGE_TOO_LARGE`.
   */
  encoded(payload: Uint8Array, binary: boolean, overload?: Overload): Parcel {
    return this.#checked(new Parcel(payload, overload, binary));
  }

  #checked(frame: Parcel): Parcel {
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
