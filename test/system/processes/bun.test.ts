import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { Installation } from "../../support/installation.ts";
import { TemporaryFolder } from "../../support/temporary-folder.ts";

/** npm installs 90 MB. */
const INSTALLING = 300_000;

const NAME = `bun-linux-${process.arch === "arm64" ? "aarch64" : process.arch}`;

const run = promisify(execFile);
let bun: string;
let installation: Installation;

beforeAll(async () => {
  const folder = new TemporaryFolder("roomcast-bun-");
  bun = join(folder.path, "node_modules/@oven", NAME, "bin/bun");
  writeFileSync(join(folder.path, "package.json"), '{"private":true}');
  // The package of the platform is the program; its parent only chooses among them.
  const bunPackage = `@oven/${NAME}@1.4.5`;
  await run("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", bunPackage], { cwd: folder.path });
  installation = await Installation.build(["ws", "nanoid"]);
  return () => {
    installation.remove();
    folder.remove();
  };
}, INSTALLING);

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
