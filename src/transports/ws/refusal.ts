import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

/** Answers an upgrade request with an HTTP error and ends the connection. */
export function refuseUpgrade(
  socket: Duplex,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const further = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // The client may be gone already; there is nobody to tell.
  socket.once("error", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n` +
      `Connection: close\r\n` +
      `Content-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(message)}\r\n` +
      further.join("") +
      `\r\n${message}`,
    // Half of the connection is closed now; a client that never closes the other half must not keep it.
    () => socket.destroy(),
  );
}
