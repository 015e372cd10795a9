import { Buffer } from "node:buffer";
import { STATUS_CODES } from "node:http";
import { SocketAddress } from "node:net";
import type { HttpRequest, HttpResponse } from "uWebSockets.js";
import type { UpgradeInfo } from "../transport.ts";
import { asksForWebSocket, type HandshakeFault } from "../shared/handshake.ts";
import { addHeader } from "../shared/headers.ts";
import { upgradeInfo } from "../shared/upgrade-info.ts";
import type { WaitingClient } from "../shared/waiting-client.ts";

/** Copies an upgrade request. The library's own object must not be used after the handler has returned. */
export function copyUpgrade(
  request: HttpRequest,
  response: HttpResponse,
  secure: boolean,
  client: WaitingClient,
): UpgradeInfo {
  const headers: Record<string, string> = {};
  request.forEach((name, value) => addHeader(headers, name, value));
  // The result is `undefined` for a URL without a question mark, although the declarations do not say so.
  const query = (request.getQuery() as string | undefined) ?? "";
  const url = query === "" ? request.getUrl() : `${request.getUrl()}?${query}`;
  return upgradeInfo({ url, headers, remoteAddress: remoteAddress(response), secure }, client);
}

/** Returns whether a request asks for a WebSocket. The library looks at `Sec-WebSocket-Key` alone. */
export function isWebSocketRequest(request: HttpRequest): boolean {
  return asksForWebSocket(request.getMethod(), {
    connection: request.getHeader("connection"),
    "content-length": request.getHeader("content-length"),
    "transfer-encoding": request.getHeader("transfer-encoding"),
    upgrade: request.getHeader("upgrade"),
  });
}

/** Answers a request with an HTTP status and plain text, or what its headers say, inside a cork as the library demands. */
export function answer(response: HttpResponse, { status, message, headers = {} }: HandshakeFault): void {
  response.cork(() => {
    response.writeStatus(`${status} ${STATUS_CODES[status] ?? ""}`);
    const written = { "Content-Type": "text/plain; charset=utf-8", ...headers };
    for (const [name, value] of Object.entries(written)) response.writeHeader(name, value);
    response.end(message, true);
  });
}

/**
 * Reads the address of a client. The library writes IPv6 addresses in full; Node.js shortens them. On a Unix domain
 * socket the address is empty.
 */
function remoteAddress(response: HttpResponse): string {
  const text = Buffer.from(response.getRemoteAddressAsText()).toString();
  if (!text.includes(":")) return text;
  return new SocketAddress({ address: text, family: "ipv6" }).address;
}
