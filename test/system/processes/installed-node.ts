import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The major versions of Node.js, besides the oldest one, that have a WebSocket of their own and long-term support. */
export const NODES_WITH_WEB_SOCKET = [22, 24] as const;

/** Returns the path of a version of Node.js, installed from the registry where `npm run test:nodes` has it, too. */
export async function installedNode(version: number): Promise<string> {
  const folder = fileURLToPath(new URL(`../../../.nodes/${version}`, import.meta.url));
  const path = `${folder}/node_modules/node/bin/node`;
  if (!existsSync(path)) {
    await promisify(execFile)("npm", ["install", "--silent", "--no-save", "--prefix", folder, `node@${version}`]);
  }
  return path;
}
