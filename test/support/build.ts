import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const SOURCE = new URL("../../src/", import.meta.url);
/** What the build writes last. */
const BUILT = new URL("../../dist/client/roomcast-client.min.js", import.meta.url);

/** Builds `dist`, which some tests run in processes of their own, unless it is newer than all of `src`. */
export function setup(): void {
  if (existsSync(BUILT) && newestSource() < statSync(BUILT).mtimeMs) return;
  // The types are checked elsewhere.
  const args = ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--noCheck"];
  for (const program of [args, ["scripts/bundle-client.mjs"]]) {
    execFileSync(process.execPath, program, { cwd: PROJECT, stdio: "inherit" });
  }
}

/** When anything in `src` last changed. A folder changes when a file in it is added, renamed or removed. */
function newestSource(): number {
  const paths = readdirSync(SOURCE, { recursive: true, encoding: "utf8" });
  return Math.max(...paths.map((path) => statSync(new URL(path, SOURCE)).mtimeMs));
}
