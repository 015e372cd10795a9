import type { HubTypes } from "../event-types.ts";
import { Client } from "./client.ts";
import type { ConnectOptions } from "./options.ts";
import { explain } from "./why.ts";

/**
 * Connects to a hub like `connect` for pages. The WebSockets of servers and of other programs also tell why a connection
 * could not be opened, which browsers do not, so that `hub:state` has a reason for people.
 *
 * @throws {ClientError} `ERR_CLIENT_OPTION`.
 */
export function connect<T extends HubTypes = HubTypes>(url: string | URL, options?: ConnectOptions<T>): Client<T> {
  return new Client(url, options, explain);
}

export * from "./types.ts";
