import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Installation } from "../../support/installation.ts";

const SERVER = fileURLToPath(new URL("server", import.meta.url));
const TSC = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));

/** An installation of the package with the server's program compiled into it. */
export async function install(): Promise<Installation> {
  const installation = await Installation.build(["ws", "nanoid", "msgpackr", "uWebSockets.js"]);
  const into = join(installation.folder, "fuzz");
  const options = ["-p", SERVER, "--rootDir", SERVER, "--outDir", into, "--noCheck"];
  await promisify(execFile)(process.execPath, [TSC, ...options]);
  return installation;
}
