import type { TransportName } from "roomcast";
import { loadAssets, type Asset } from "./assets.ts";

/** The chat and its page on one port. */
export interface ChatServer {
  readonly port: number;
  /** Says goodbye to everybody and resolves when the port is free again. */
  close(): Promise<void>;
}

/** Serves the page and the chat on one port: one of these for each transport. */
export type StartChat = (assets: ReadonlyMap<string, Asset>, port: number) => Promise<ChatServer>;

/**
 * Starts the chat.
 *
 * @param port - 0 takes a free one.
 * @throws {Error} saying what to do if the port is taken or uWebSockets.js is missing.
 */
export async function startChatServer(transport: TransportName, port: number): Promise<ChatServer> {
  const assets = await loadAssets();
  const start = await load(transport);
  return start(assets, port);
}

/** Only what was chosen is loaded: uWebSockets.js need not be installed to run the chat on `ws`. */
async function load(transport: TransportName): Promise<StartChat> {
  if (transport === "ws") return (await import("./on-ws.ts")).startOnWs;
  const { uws } = await import("roomcast/transports/uws");
  // Where uWebSockets.js is missing, the transport says what to install; importing it would only fail.
  uws();
  return (await import("./on-uws.ts")).startOnUws;
}
