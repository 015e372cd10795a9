import type { PerMessageDeflateOptions } from "ws";

/**
 * What the server's messages are compressed to must not depend on the connection, so that all can share it. The
 * client's messages may build on one another, unless it asks otherwise: `ws` keeps as much memory to read them either
 * way.
 */
export const DEFLATE_OPTIONS: PerMessageDeflateOptions = { serverNoContextTakeover: true };

/** Where the client asks for no smaller one (RFC 7692 section 7.1.2.1). */
const DEFAULT_WINDOW_BITS = 15;

/**
 * The window that the server's messages have to keep to, by the headers that it answers an upgrade with; `undefined`
 * where permessage-deflate was not agreed on.
 */
export function agreedWindowBits(headers: readonly string[]): number | undefined {
  const agreed = headers.find((header) => header.startsWith("Sec-WebSocket-Extensions: permessage-deflate"));
  if (agreed === undefined) return undefined;
  return Number(/server_max_window_bits=(\d+)/.exec(agreed)?.[1] ?? DEFAULT_WINDOW_BITS);
}
