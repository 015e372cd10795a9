import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Where `scripts/test-nodes.sh` has its versions of Node.js. */
const PROGRAMS = fileURLToPath(new URL("../../.nodes", import.meta.url));

/**
 * Returns the path of a program of a package of the registry, which is installed if it is not there.
 *
 * @param from - the package and its version, such as "node@22".
 * @param program - the path in the folder of the package.
 */
export async function installedProgram(from: string, program: string): Promise<string> {
  const [name = "", version = ""] = from.split("@");
  const folder = join(PROGRAMS, name === "node" ? version : name);
  const path = join(folder, "node_modules", name, program);
  if (!existsSync(path)) await install(from, folder);
  if (!existsSync(path)) throw new Error(`There is no ${path}. Remove ${folder}, so that it is installed again.`);
  return path;
}

/** Installs in a folder beside it first: files of tests that run at the same time may install the same program. */
async function install(from: string, folder: string): Promise<void> {
  mkdirSync(PROGRAMS, { recursive: true });
  const made = mkdtempSync(`${folder}-`);
  try {
    await promisify(execFile)("npm", ["install", "--silent", "--no-save", "--prefix", made, from]);
    renameSync(made, folder);
  } catch (error) {
    rmSync(made, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
}
