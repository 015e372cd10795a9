import type { Overload, OutgoingFrame } from "./overload.ts";
import { Frame } from "../transports/frame.ts";

/** A frame with what becomes of it where it is too much: it rides along, so that only congested sockets look at it. */
export class Parcel extends Frame implements OutgoingFrame {
  readonly overload: Overload | undefined;

  constructor(message: string | Uint8Array, overload: Overload | undefined, binary?: boolean) {
    super(message, binary);
    this.overload = overload;
  }
}
