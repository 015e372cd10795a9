/**
 * The close codes that roomcast itself sends or reports. `docs/PROTOCOL.md` section 7 is normative.
 *
 * Those of RFC 6455 section 7.4.1 keep their meaning. Of the private range, 4000-4099 tell a client not to reconnect,
 * 4100-4199 to reconnect with back-off, 4200-4299 to reconnect at once.
 */
export const CloseCode = {
  /** RFC 6455: the purpose of the connection is fulfilled. The default of `close()`. */
  normal: 1000,
  /** RFC 6455: the server is going away; what `hub.close()` sends. */
  goingAway: 1001,
  /** RFC 6455: never sent; reported when the close frame held no code. */
  noStatus: 1005,
  /** RFC 6455: never sent; reported when the connection ended without a close frame, or with frames that are invalid. */
  abnormal: 1006,
  /** RFC 6455: a text message was not valid UTF-8. */
  invalidText: 1007,
  /** RFC 6455: a message was larger than `maxMessageBytes`. */
  messageTooBig: 1009,
  /** RFC 6455: the server failed; here, its `authenticate` did. */
  internalError: 1011,
  /** The client broke this protocol: it did not begin with `hub:hello`. */
  protocolError: 4000,
  /** The credentials in `hub:hello` are not good. */
  unauthorized: 4001,
  /** The server does not speak the version that the client asked for. */
  unsupportedVersion: 4004,
  /** The client sent too much, or too much that is wrong: see `limits`. */
  abuse: 4005,
  /** The client reads more slowly than it is sent to: more than `maxBufferedBytes` would have been held for it. */
  slowConsumer: 4101,
  /** The handshake with `hub:hello` took too long. */
  handshakeTimeout: 4102,
  /** What `authenticate` found is good no longer: come back with fresh credentials. */
  credentialsExpired: 4103,
  /** The server is being stopped: come back, to another or a new one, as `hub:bye` said. */
  draining: 4200,
  /** No sign of life within the heartbeat's interval and timeout. */
  heartbeatLost: 4201,
} as const;

/** How a connection ends: the code of the close frame, and its reason. */
export interface Close {
  readonly code: number;
  readonly reason: string;
}

/** What a client does after a close: stay away, come back with back-off, or at once. */
export type Return = "never" | "back-off" | "at-once";

/**
 * What the code of a close tells a client to do. `docs/PROTOCOL.md` section 7 is normative.
 *
 * Written with numbers, because this is part of the client's bundle, and {@link CloseCode} need not be.
 */
export function returnAfter(code: number): Return {
  if (code >= 4100) return code < 4200 ? "back-off" : code < 4300 ? "at-once" : "never";
  // Going away, abnormal, too big; then internal error, service restart, try again later, bad gateway, TLS handshake.
  return code === 1001 || code === 1006 || code === 1009 || (code >= 1011 && code <= 1015) ? "back-off" : "never";
}

/** Whether RFC 6455 section 7.4 allows an endpoint to send `code` in a close frame. */
export function isSendableCloseCode(code: unknown): code is number {
  if (typeof code !== "number" || !Number.isInteger(code)) return false;
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== CloseCode.noStatus && code !== CloseCode.abnormal;
}

/** RFC 6455 section 5.5 limits a control frame to 125 bytes, two of which hold the code. */
export const MAX_CLOSE_REASON_BYTES = 123;
