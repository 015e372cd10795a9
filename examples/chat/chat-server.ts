import type { TransportName } from "roomcast";
import { loadAssets } from "./assets.ts";
import { createChat } from "./chat.ts";
import { startPageServer, type PageServer } from "./page-server.ts";

/** The chat and its pages on one port. */
export type ChatServer = PageServer;

/**
 * Starts the chat.
 *
 * @param port - 0 takes a free one.
 * @throws {Error} saying what to do if the port is taken or uWebSockets.js is missing.
 */
export async function startChatServer(transport: TransportName, port: number): Promise<ChatServer> {
  return startPageServer(transport, port, { assets: await loadAssets(), createHub: createChat });
}
