import type { MessageFrame } from "../transports/transport.ts";

/**
 * What becomes of a message for a socket when more would wait for it than `maxBufferedBytes`: `"close"` the socket, or
 * `"drop"` the message and tell the client that something is missing.
 */
export type OverloadPolicy = "close" | "drop";

/** How a message is treated for sockets that are behind. */
export interface Overload {
  readonly policy: OverloadPolicy;
  /** While a socket is behind, the message takes the place of the one with the same key that waits. */
  readonly key?: string | undefined;
}

/** A message on its way out. Without `overload` it closes a socket that it is too much for. */
export interface OutgoingFrame extends MessageFrame {
  readonly overload?: Overload | undefined;
}

/** Why a message was not sent to one of its recipients, which stays connected. */
export type DropReason =
  /** It was volatile, and the socket behind. */
  | "volatile"
  /** It would have been more than may wait for the socket. */
  | "overload"
  /** A later one with the same key took its place. */
  | "superseded";
