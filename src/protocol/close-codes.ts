/**
 * The close codes that roomcast itself sends or reports. `docs/PROTOCOL.md` section 7 is normative.
 *
 * The codes of RFC 6455 section 7.4.1 keep their meaning. In the private range, 4000-4099 tell a client not to
 * reconnect, 4100-4199 to reconnect with back-off, and 4200-4299 to reconnect at once.
 */
export const CloseCode = {
  /** RFC 6455: the purpose of the connection is fulfilled. This is the default code of `close()`. */
  normal: 1000,
  /** RFC 6455: the server is going away. `hub.close()` sends this code. */
  goingAway: 1001,
  /** RFC 6455: the close frame held no code. This code is reported and never sent. */
  noStatus: 1005,
  /**
   * RFC 6455: the connection ended without a close frame, or with invalid frames. This code is reported and never sent.
   */
  abnormal: 1006,
  /** RFC 6455: a text message was not valid UTF-8. */
  invalidText: 1007,
  /** RFC 6455: a message was larger than `maxMessageBytes`. */
  messageTooBig: 1009,
  /** RFC 6455: the server failed. Here, its `authenticate` failed. */
  internalError: 1011,
  /** The client broke this protocol: its first packet was not `hub:hello`. */
  protocolError: 4000,
  /** The credentials in `hub:hello` were rejected. */
  unauthorized: 4001,
  /** The server does not speak the version that the client asked for. */
  unsupportedVersion: 4004,
  /** The client sent too many messages, or too many invalid ones: see `limits`. */
  abuse: 4005,
  /** The client reads too slowly: more than `maxBufferedBytes` would have been held for it. */
  slowConsumer: 4101,
  /** The handshake with `hub:hello` took too long. */
  handshakeTimeout: 4102,
  /** The credentials have expired: the client reconnects with fresh ones. */
  credentialsExpired: 4103,
  /** The server is being stopped: the client reconnects, to another server or a new one, as `hub:bye` said. */
  draining: 4200,
  /** The client gave no sign of life within the heartbeat's interval and timeout. */
  heartbeatLost: 4201,
} as const;

/** The code and the reason of the close frame that ends a connection. */
export interface Close {
  readonly code: number;
  readonly reason: string;
}

/**
 * Tells whether a client reconnects at once after a close with this code, or with back-off; `undefined` if it stays
 * away. `docs/PROTOCOL.md` section 7 is normative.
 *
 * The codes are written as numbers because this function is part of the client's bundle, and {@link CloseCode} need not
 * be.
 */
export function reconnectsAtOnce(code: number): boolean | undefined {
  if (/^42..$/.test(String(code))) return true;
  // 41xx, and in order: going away, abnormal closure, message too big, then internal error, service restart, try again
  // later, bad gateway and TLS handshake.
  return /^(41..|10(0[169]|1[1-5]))$/.test(String(code)) ? false : undefined;
}

/** Tells whether RFC 6455 section 7.4 allows an endpoint to send `code` in a close frame. */
export function isSendableCloseCode(code: unknown): code is number {
  if (typeof code !== "number" || !Number.isInteger(code)) return false;
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== CloseCode.noStatus && code !== CloseCode.abnormal;
}

/**
 * The most bytes that a close reason may have. RFC 6455 section 5.5 limits a control frame to 125 bytes, and the code
 * takes two of them.
 */
export const MAX_CLOSE_REASON_BYTES = 123;
