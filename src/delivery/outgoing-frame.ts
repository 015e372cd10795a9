import { Frame } from "../transports/frame.ts";
import type { Overload } from "./overload.ts";

/**
 * A frame that the hub sends. It carries the overload policy for sockets that are behind, so that only congested
 * sockets look at the policy. Without `overload`, a frame that is too much for a socket closes it.
 */
export class OutgoingFrame extends Frame {
  readonly overload: Overload | undefined;

  constructor(message: string | Uint8Array, overload?: Overload, binary?: boolean, compress?: boolean) {
    super(message, binary, compress);
    this.overload = overload;
  }
}
