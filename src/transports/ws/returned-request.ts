import { Buffer } from "node:buffer";
import type { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";

/**
 * Gives a request that asks for an upgrade back to its server, which then handles it as one that does not. RFC 9110
 * section 7.8 lets a server ignore `Upgrade`, as servers without a listener for upgrades do.
 *
 * Node.js has taken its parser off the connection already. So the connection begins anew with the bytes of the request,
 * but for the header: thereby a body, `Expect`, the timeouts and further requests are Node.js' business as ever.
 */
export function returnRequest(server: EventEmitter, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method = "GET", url = "/", httpVersion, rawHeaders } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    if (name.toLowerCase() !== "upgrade") text += `${name}: ${value}\r\n`;
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, "latin1"), head]));
  server.emit(socket instanceof TLSSocket ? "secureConnection" : "connection", socket);
}
