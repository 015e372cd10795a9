import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));

/** What a clone does not have. */
const NOT_CLONED = new Set([".git", ".nodes", ".reports", "coverage", "dist", "node_modules"]);

const folder = mkdtempSync(join(tmpdir(), "roomcast-installation-"));
const repository = join(folder, "repository");

/** npm writes and removes tens of thousands of files. */
const PATIENCE = 300_000;

/** Runs a program to its end, and returns all that it printed. */
async function run(cwd: string, program: string, ...args: readonly string[]): Promise<string> {
  // From npm 12 on, users say this themselves if they install from git.
  const environment = { ...process.env, npm_config_allow_git: "all" };
  const { stdout, stderr } = await promisify(execFile)(program, args, { cwd, env: environment });
  return stdout + stderr;
}

beforeAll(async () => {
  cpSync(PROJECT, repository, { recursive: true, filter: (path) => !NOT_CLONED.has(basename(path)) });
  const author = ["-c", "user.name=Test", "-c", "user.email=test@localhost"];
  await run(repository, "git", "init", "--quiet");
  await run(repository, "git", "add", "--all");
  await run(repository, "git", ...author, "commit", "--quiet", "--message", "Everything");
  await run(repository, "npm", "ci");
  const packed = (await run(repository, "npm", "pack", "--silent")).trim();
  renameSync(join(repository, packed), join(folder, "packed.tgz"));
}, PATIENCE);

afterAll(() => rmSync(folder, { recursive: true }), PATIENCE);

test.each([
  ["from a packed file", "packed.tgz"],
  ["from a folder, after npm ci in it", "repository"],
  ["from a git repository", "git+file://repository"],
])("npm installs %s without a warning", { timeout: PATIENCE }, async (_, source) => {
  const application = mkdtempSync(join(folder, "application-"));
  writeFileSync(join(application, "package.json"), '{"type":"module"}');
  const program = `
    import { Hub } from "roomcast";
    import "roomcast/client";
    import "roomcast/client/presence";
    import "roomcast/testing";
    const hub = new Hub();
    await hub.listen({ host: "127.0.0.1" });
    await hub.close();
    console.log("closed");
  `;
  const said = await run(application, "npm", "install", source.replace(/(git\+file:\/\/)?/, `$1${folder}/`));
  expect(said).not.toMatch(/warn install-scripts|roomcast/);
  expect(await run(application, process.execPath, "--input-type=module", "--eval", program)).toBe("closed\n");
});
