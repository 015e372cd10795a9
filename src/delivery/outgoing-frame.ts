import type { Buffer } from "node:buffer";
import { Frame, FrameBytes } from "../transports/frame.ts";
import type { Overload } from "./overload.ts";

/**
 * A frame that the hub sends. It carries the overload policy for sockets that are behind, so that only congested
 * sockets look at the policy. Without `overload`, a frame that is too much for a socket closes it.
 */
export class OutgoingFrame extends Frame {
  readonly overload: Overload | undefined;

  /** Makes a frame of the bytes of a whole one, which are not copied. */
  static of(bytes: Buffer, compress: boolean): OutgoingFrame {
    return new OutgoingFrame(new FrameBytes(bytes), undefined, undefined, compress);
  }

  constructor(message: string | Uint8Array | FrameBytes, overload?: Overload, binary?: boolean, compress?: boolean) {
    super(message, binary, compress);
    this.overload = overload;
  }
}
