import type { HubTypes } from "../event-types.ts";
import { Client } from "./client.ts";
import { ClientError } from "./errors.ts";
import type { ConnectOptions } from "./options.ts";
import { explained } from "./explained-web-socket.ts";

/**
 * Connects to a hub like `connect` for pages. The WebSockets of servers and of other programs also tell why a connection
 * could not be opened, which browsers do not, so that `hub:state` has a reason for people.
 *
 * @throws {ClientError} `ERR_CLIENT_OPTION`.
 */
export function connect<T extends HubTypes = HubTypes>(url: string | URL, options?: ConnectOptions<T>): Client<T> {
  const { WebSocket = globalThis.WebSocket } = options ?? {};
  if (WebSocket === undefined) {
    throw new ClientError(
      "ERR_CLIENT_OPTION",
      'This platform has no WebSocket, as Node.js before 22. Write import { WebSocket } from "ws" and connect(url, { WebSocket }).',
    );
  }
  // Anything else is for the check of the options.
  return new Client(url, typeof WebSocket === "function" ? { ...options, WebSocket: explained(WebSocket) } : options);
}

export * from "./types.ts";
