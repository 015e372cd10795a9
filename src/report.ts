/**
 * The source of a failure: a handler of `handle`, `on`, `onNode` or `handleNode`, middleware around a handler, a listener of
 * a hub event, the option of that name, the codec at work for the hub itself, the transport's server, the backplane, or
 * the hub itself; for `limits`, a `join` of a target that would have put a socket into too many rooms.
 */
export type ErrorSource =
  | "admit"
  | "authenticate"
  | "backplane"
  | "codec"
  | "handler"
  | "internal"
  | "joinable"
  | "limits"
  | "listener"
  | "middleware"
  | "node"
  | "origins"
  | "transport";

/** The event and the socket that a failure is about. */
export interface ErrorSubject {
  /** The event that was being handled or sent. */
  readonly event?: string;
  /** The application's socket. */
  readonly socket?: unknown;
}

/** Receives every failure that has no caller to tell. */
export interface ErrorReport {
  failed(error: unknown, source: ErrorSource, subject?: ErrorSubject): void;
}
