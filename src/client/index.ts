/**
 * The client, for browsers, Node.js, Bun, Deno and React Native: {@link connect}.
 *
 * @module roomcast/client
 */

import type { HubTypes } from "../event-types.ts";
import { Client } from "./client.ts";
import type { ConnectOptions } from "./options.ts";

/**
 * Connects to a hub, and reconnects until {@link Client.close} is called or the server says not to reconnect.
 *
 * @param url - `ws:` or `wss:`; `http:` and `https:` mean the same, and in a page the URL may be relative.
 * @throws {ClientError} `ERR_CLIENT_OPTION`.
 * @example
 * const client = connect("wss://example.org/chat", { auth: () => fetchToken() });
 * client.on("chat", ({ from, text }) => show(from, text));
 * await client.join("lobby");
 * client.emit("chat", "Hello");
 */
export function connect<T extends HubTypes = HubTypes>(url: string | URL, options?: ConnectOptions<T>): Client<T> {
  return new Client(url, options);
}

export * from "./types.ts";
