import type { DrainOptions, Hub, Transport, TransportName } from "roomcast";
import type { Asset } from "./asset.ts";

/** A page and the hub that it talks to, on one port. */
export interface PageServer {
  readonly port: number;
  /** Tells all clients to reconnect, lets what is being handled finish, and resolves when the port is free again. */
  drain(): Promise<void>;
}

/** What is served: the files of the page by URL path, and the hub once there is a transport for it. */
export interface Served {
  readonly assets: ReadonlyMap<string, Asset>;
  readonly createHub: (transport: Transport) => Pick<Hub, "close" | "drain">;
}

/** How long what is being handled may take at the end, and over how long the pages spread their return. */
export const FAREWELL: DrainOptions = { within: 5_000, spread: 1_000 };

/** One of these for each transport. */
export type StartPageServer = (served: Served, port: number) => Promise<PageServer>;

/**
 * Serves a page and its hub.
 *
 * @param port - 0 takes a free one.
 * @throws {Error} saying what to do if the port is taken or uWebSockets.js is missing.
 */
export async function startPageServer(transport: TransportName, port: number, served: Served): Promise<PageServer> {
  const start = await load(transport);
  return start(served, port);
}

/** Only what was chosen is loaded: uWebSockets.js need not be installed to run a page on `ws`. */
async function load(transport: TransportName): Promise<StartPageServer> {
  if (transport === "ws") return (await import("./on-ws.ts")).startOnWs;
  const { uws } = await import("roomcast/transports/uws");
  // Where uWebSockets.js is missing, the transport says what to install; importing it would only fail.
  uws();
  return (await import("./on-uws.ts")).startOnUws;
}
