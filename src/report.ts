/**
 * The source of a failure that has no caller to tell.
 *
 * - `admit`: the option threw, or returned something else than it may.
 * - `authenticate`: the option threw, or returned no user with a good `id` and `expiresAt`; or it, or `admit`, took longer
 *   than `handshakeTimeout` (`ERR_HUB_TIMEOUT`).
 * - `backplane`: what connects the hub with other nodes: an outage, lost messages, or what another node asked for and
 *   cannot be done here.
 * - `codec`: the codec, at a packet that the hub itself sends, such as `hub:welcome`.
 * - `handler`: a handler of `handle` or of `socket.on`, a schema that did not validate at once, or the encoding or
 *   validation of what was answered.
 * - `internal`: the hub itself, at what a client sent or did. If it failed for one socket, that socket is `socket`; its
 *   connection was cut, and its `disconnection` says 1011.
 * - `joinable`: the option threw: its first failure for each request of a client.
 * - `limits`: a `join` of a target: a socket would have been in more rooms than `limits.rooms`, and was put into none. The
 *   first of a call is `socket`.
 * - `listener`: a listener of `connection`, `disconnection`, `room`, `message` or `refusal`.
 * - `middleware`: a middleware of `use` failed by itself.
 * - `node`: a handler of `onNode` or `handleNode`.
 * - `origins`: the function `origins` threw, or returned no boolean.
 * - `transport`: the transport's own server, after it had begun to listen; another listener for upgrades on yours.
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
