import { Frame } from "../transports/frame.ts";
import type { Overload } from "./overload.ts";

/**
 * A message on its way out. What becomes of it for a socket that is behind rides along, so that only congested sockets look at
 * it; without `overload` the message closes a socket that it is too much for.
 */
export class OutgoingFrame extends Frame {
  readonly overload: Overload | undefined;

  constructor(message: string | Uint8Array, overload?: Overload, binary?: boolean) {
    super(message, binary);
    this.overload = overload;
  }
}
