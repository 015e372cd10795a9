import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Installation } from "../../support/installation.ts";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));
const TSC = join(PROJECT, "node_modules/typescript/bin/tsc");

/**
 * An installation of the package with the programs of a folder compiled into its folder `fuzz`, because Node.js 20 cannot run
 * TypeScript.
 */
export async function install(programs: string): Promise<Installation> {
  const rootDir = fileURLToPath(new URL(programs, import.meta.url));
  const installation = await Installation.build(["ws", "nanoid", "msgpackr", "uWebSockets.js"]);
  const config = join(installation.folder, "tsconfig.json");
  const outDir = join(installation.folder, "fuzz");
  const compilerOptions = { rootDir, outDir, noCheck: true, types: [] };
  writeFileSync(
    config,
    JSON.stringify({ extends: join(PROJECT, "tsconfig.run.json"), compilerOptions, include: [rootDir] }),
  );
  await promisify(execFile)(process.execPath, [TSC, "-p", config]);
  return installation;
}
