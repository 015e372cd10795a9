import type { PerMessageDeflateOptions } from "ws";

/**
 * The server's side of the negotiation. Its messages are compressed without regard to earlier ones, so that all
 * connections can share the result. The client's messages may build on one another, unless the client asks otherwise:
 * `ws` needs the same memory to read them either way.
 */
export const DEFLATE_OPTIONS: PerMessageDeflateOptions = { serverNoContextTakeover: true };

/** The window of a client that asks for no smaller one (RFC 7692 section 7.1.2.1). */
const DEFAULT_WINDOW_BITS = 15;

/**
 * Reads from the headers of the server's answer to an upgrade which window the server's messages have to keep to.
 *
 * @returns the window in bits, or `undefined` if permessage-deflate was not agreed on.
 */
export function agreedWindowBits(headers: readonly string[]): number | undefined {
  const agreed = headers.find((header) => header.startsWith("Sec-WebSocket-Extensions: permessage-deflate"));
  if (agreed === undefined) return undefined;
  return Number(/server_max_window_bits=(\d+)/.exec(agreed)?.[1] ?? DEFAULT_WINDOW_BITS);
}
