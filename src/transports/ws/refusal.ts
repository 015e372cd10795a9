import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { HandshakeFault } from "../shared/handshake.ts";

/** Answers an upgrade request with an HTTP error and ends the connection. */
export function refuseUpgrade(socket: Duplex, { status, message, headers = {} }: HandshakeFault): void {
  const further = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // The client may have disconnected already; then there is nobody to answer.
  socket.once("error", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n` +
      `Connection: close\r\n` +
      `Content-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(message)}\r\n` +
      further.join("") +
      `\r\n${message}`,
    // This side is closed now. A client that never closes its own side must not keep the connection.
    () => socket.destroy(),
  );
}
