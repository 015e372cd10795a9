import type { IncomingMessage } from "node:http";
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

/**
 * Returns the request with which `ws` is to answer a handshake: the subprotocol is the one that the hub chose, and the
 * extensions are the offers that a server can accept. `ws` refuses the whole handshake for an empty item, which some
 * clients send, or for one bad offer beside a good one.
 */
export function agreedRequest(headers: Readonly<Record<string, string>>, protocol: string): IncomingMessage {
  const extensions = acceptableOffers(headers["sec-websocket-extensions"] ?? "");
  const agreed = {
    method: "GET",
    headers: {
      upgrade: "websocket",
      "sec-websocket-key": headers["sec-websocket-key"],
      "sec-websocket-version": "13",
      ...(protocol === "" ? {} : { "sec-websocket-protocol": protocol }),
      ...(extensions === "" ? {} : { "sec-websocket-extensions": extensions }),
    },
  };
  return agreed as IncomingMessage;
}

/** Items of a list, in which a comma may stand in quotes. */
const ITEMS = /(?:[^",]|"(?:[^"\\]|\\.)*(?:"|$))+/g;

const PARAMETERS: ReadonlyMap<string, RegExp> = new Map([
  ["server_no_context_takeover", /^$/],
  ["client_no_context_takeover", /^$/],
  ["server_max_window_bits", /^=(?:[89]|1[0-5]|"(?:[89]|1[0-5])")$/],
  ["client_max_window_bits", /^(?:=(?:[89]|1[0-5]|"(?:[89]|1[0-5])"))?$/],
]);

/** Returns the offers of permessage-deflate that RFC 7692 section 7 allows. A server declines the others. */
function acceptableOffers(header: string): string {
  return (header.match(ITEMS) ?? [])
    .map(acceptable)
    .filter((offer) => offer !== "")
    .join(", ");
}

/** Returns an offer in its plainest form, or an empty string for one to decline. */
function acceptable(offer: string): string {
  const [name, ...parameters] = offer.split(";").map((part) => part.replaceAll(/\s*(=|^|$)\s*/g, "$1"));
  const keys = new Set<string>();
  const isGood = (parameter: string): boolean => {
    const [key = ""] = parameter.split("=", 1);
    const isNew = !keys.has(key);
    keys.add(key);
    return isNew && PARAMETERS.get(key)?.test(parameter.slice(key.length)) === true;
  };
  return name === "permessage-deflate" && parameters.every(isGood) ? [name, ...parameters].join("; ") : "";
}
