import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import type { TransportName } from "roomcast";
import { asset, type Asset } from "../chat/asset.ts";
import { startPageServer, type PageServer } from "../chat/page-server.ts";
import { createRooms } from "./rooms.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * Serves the rooms and their page on one port.
 *
 * @param port - 0 takes a free one.
 * @param page - the folder that Vite built the page into.
 * @throws {Error} saying what to do if the port is taken, uWebSockets.js is missing, or the page was not built.
 */
export async function startRoomsServer(transport: TransportName, port: number, page: URL): Promise<PageServer> {
  return startPageServer(transport, port, { assets: await loadAssets(page), createHub: createRooms });
}

async function loadAssets(page: URL): Promise<ReadonlyMap<string, Asset>> {
  const entries = await readdir(page, { recursive: true });
  const files = entries.filter((path) => extname(path) in TYPES);
  const assets = files.map(async (path): Promise<[string, Asset]> => {
    const body = await readFile(new URL(path, page));
    return [path === "index.html" ? "/" : `/${path}`, asset(body, TYPES[extname(path)] as string)];
  });
  return new Map(await Promise.all(assets));
}
