import { Buffer } from "node:buffer";
import { STATUS_CODES } from "node:http";
import { SocketAddress } from "node:net";
import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import type { UpgradeInfo } from "../transport.ts";
import { offeredProtocols, plainAddress } from "../shared/upgrade-info.ts";
import type { Vanishing } from "../shared/vanishing.ts";

/** Headers of which Node keeps the first when a client repeats them; all others are joined. */
const SINGLE: ReadonlySet<string> = new Set([
  "age",
  "authorization",
  "content-length",
  "content-type",
  "etag",
  "expires",
  "from",
  "host",
  "if-modified-since",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "referer",
  "retry-after",
  "server",
  "user-agent",
]);

/** Copies what is needed of the request: the library's own object must not be touched after the handler has returned. */
export function copyUpgrade(
  request: HttpRequest,
  response: HttpResponse,
  secure: boolean,
  client: Vanishing,
): UpgradeInfo {
  const headers: Record<string, string> = {};
  request.forEach((name, value) => {
    const earlier = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (earlier === undefined) headers[name] = value;
    else if (!SINGLE.has(name)) headers[name] = `${earlier}${name === "cookie" ? "; " : ", "}${value}`;
  });
  // Not declared, but `undefined` for a URL without a question mark.
  const query = (request.getQuery() as string | undefined) ?? "";
  return {
    url: query === "" ? request.getUrl() : `${request.getUrl()}?${query}`,
    headers,
    remoteAddress: remoteAddress(response),
    secure,
    protocols: offeredProtocols(headers["sec-websocket-protocol"]),
    get signal() {
      return client.signal;
    },
  };
}

/** Answers with plain text and an HTTP status, inside a cork as the library wants it. */
export function answer(
  response: HttpResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.cork(() => {
    response.writeStatus(`${status} ${STATUS_CODES[status] ?? ""}`);
    response.writeHeader("Content-Type", "text/plain; charset=utf-8");
    for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
    response.end(text, true);
  });
}

/** The library writes IPv6 in full; Node has the usual short form. On a Unix domain socket there is no address. */
function remoteAddress(response: HttpResponse): string {
  const text = Buffer.from(response.getRemoteAddressAsText()).toString();
  if (!text.includes(":")) return text;
  return plainAddress(new SocketAddress({ address: text, family: "ipv6" }).address);
}
