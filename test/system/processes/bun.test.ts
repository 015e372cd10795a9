import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Installation } from "../../support/installation.ts";

/** npm installs 90 MB. */
const INSTALLING = 300_000;

const NAME = `bun-linux-${process.arch === "arm64" ? "aarch64" : process.arch}`;

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "roomcast-bun-"));
const bun = join(folder, "node_modules/@oven", NAME, "bin/bun");
let installation: Installation;

beforeAll(async () => {
  writeFileSync(join(folder, "package.json"), '{"private":true}');
  // The package of the platform is the program; its parent only chooses among them.
  const bunPackage = `@oven/${NAME}@1.4.5`;
  await run("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", bunPackage], { cwd: folder });
  installation = await Installation.build(["ws", "nanoid"]);
}, INSTALLING);

afterAll(() => {
  installation.remove();
  rmSync(folder, { recursive: true });
});

test.each(["new Hub()", 'new Hub({ transport: "ws" })', "new Hub({ transport: ws() })"])(
  "%s is an error on Bun that says what to do",
  async (call) => {
    const program = `
      import { Hub } from "roomcast";
      import { ws } from "roomcast/transports/ws";
      try {
        ${call};
      } catch (error) {
        console.log(process.versions.bun === undefined, error.code, error.message);
      }
    `;
    writeFileSync(join(installation.folder, "program.mjs"), program);
    const { stdout } = await run(bun, ["program.mjs"], { cwd: installation.folder });
    expect(stdout).toMatch(/^false ERR_HUB_TRANSPORT_UNAVAILABLE .*Run the server with Node\.js\.\n$/);
  },
);
