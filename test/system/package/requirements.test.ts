import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocksOf, codesIn, proseOf, sectionOf, tablesOf } from "../../support/markdown.ts";
import { TemporaryFolder } from "../../support/temporary-folder.ts";
import { installedProgram } from "../installed-program.ts";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));
const DOCUMENT = "docs/REQUIREMENTS.md";

/** npm installs some 250 packages. */
const PATIENCE = 300_000;

/** The versions that the document names, from the least that works to the newest. */
const COMPILERS = ["5.7", "5.9", "6.0", "7.0"];
const LEAST = "5.7";
const NEWEST = "7.0";

/** The settings of the document, as pairs. */
const SETTINGS = (tablesOf(sectionOf(DOCUMENT, "TypeScript"))[0] ?? []).map((row) => row.flatMap(codesIn));

const SERVER = `
import { createServer } from "node:http";
import { Hub, type Socket } from "roomcast";
import { connect } from "roomcast/client";
import { defineContract } from "roomcast/contract";
import "roomcast/testing";
import { ws } from "roomcast/transports/ws";
const server = createServer();
const hub = new Hub({ transport: ws({ server }), contract: defineContract({}) });
hub.on("connection", (socket: Socket) => socket.join("lobby"));
export const client = connect("ws://127.0.0.1/");
// @ts-expect-error
export const wrong: number = hub.stats();
`;

const COMMONJS = `
import { Hub } from "roomcast";
export const hub = new Hub();
// @ts-expect-error
export const wrong: number = hub.stats();
`;

const PAGE = `
import { connect } from "roomcast/client";
const client = connect("ws://127.0.0.1/");
client.on("said", (data) => console.log(document.title, data));
// @ts-expect-error
export const wrong: number = client.state;
`;

const REQUIRING = `
const { Hub } = require("roomcast");
const { connect } = require("roomcast/client");
const hub = new Hub({ welcome: false });
hub.listen({ host: "127.0.0.1" }).then(async () => {
  await hub.close();
  console.log(typeof connect);
});
`;

const application = new TemporaryFolder("roomcast-requirements-");

/** Runs a program in the application to its end, and returns all that it printed. */
async function run(program: string, args: readonly string[], flags = ""): Promise<string> {
  const env = { ...process.env, NODE_OPTIONS: flags };
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: application.path, env });
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

function write(name: string, content: string): void {
  writeFileSync(join(application.path, name), content);
}

/** What `tsc` of a version says of some files, under options beside those that all have. */
async function checked(version: string, files: readonly string[], options: object): Promise<string> {
  const compilerOptions = { strict: true, noEmit: true, skipLibCheck: false, target: "es2022", ...options };
  write("tsconfig.json", JSON.stringify({ compilerOptions, files }));
  return run(process.execPath, [`node_modules/typescript-${version}/bin/tsc`]);
}

beforeAll(async () => {
  const manifest = blocksOf(DOCUMENT).find(({ info }) => info[0] === "json");
  write("package.json", manifest?.text ?? "");
  write("server.ts", SERVER);
  write("commonjs.cts", COMMONJS);
  write("page.ts", PAGE);
  // The build at the beginning of the run has made what is packed.
  const packing = ["pack", PROJECT, "--ignore-scripts", "--silent"];
  const packed = (await run("npm", packing)).trim();
  const compilers = COMPILERS.map((version) => `typescript-${version}@npm:typescript@${version}`);
  const packages = [packed, "@types/node@20", "jest@30.5.2", ...compilers];
  await run("npm", ["install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", ...packages]);
}, PATIENCE);

afterAll(() => application.remove());

test("the document names the versions and settings that are tested", () => {
  const rows = tablesOf(proseOf(DOCUMENT))[0] ?? [];
  expect(rows.find(([what]) => what === "TypeScript")?.[2]).toContain("5.7, 5.9, 6.0 and 7.0");
  expect(SETTINGS.map(([module]) => module)).toEqual(["nodenext", "node16", "esnext"]);
});

test.each(COMPILERS)("TypeScript %s checks a server, also in CommonJS", { timeout: PATIENCE }, async (version) => {
  const options = { module: "nodenext", lib: ["es2022"], types: ["node"] };
  // TypeScript 5.7 refuses to import an ES module into a CommonJS file.
  const files = version === LEAST ? ["server.ts"] : ["server.ts", "commonjs.cts"];
  expect(await checked(version, files, options)).toBe("");
});

describe.each([LEAST, NEWEST])("TypeScript %s", { timeout: PATIENCE }, (version) => {
  test.each(SETTINGS)("checks a server with the module %s and the resolution %s", async (module, moduleResolution) => {
    expect(await checked(version, ["server.ts"], { module, moduleResolution, types: ["node"] })).toBe("");
  });

  test("checks a page without the types of Node.js", async () => {
    const options = { module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom"], types: [] };
    expect(await checked(version, ["page.ts"], options)).toBe("");
  });
});

test("TypeScript 5.7 refuses to import the package into a CommonJS file", { timeout: PATIENCE }, async () => {
  const checking = checked(LEAST, ["commonjs.cts"], { module: "nodenext", types: ["node"] });
  await expect(checking).rejects.toThrow("error TS1479");
});

test("the oldest supported Node.js requires the hub and the client", { timeout: PATIENCE }, async () => {
  write("requiring.cjs", REQUIRING);
  const oldest = await installedProgram("node@20.19.0", "bin/node");
  expect(await run(oldest, ["--version"])).toBe("v20.19.0\n");
  expect(await run(oldest, ["requiring.cjs"])).toBe("function\n");
});

test("Jest runs the test of the document", { timeout: PATIENCE }, async () => {
  const example = blocksOf(DOCUMENT).find(({ info }) => info[0] === "js");
  write("hub.test.js", example?.text ?? "");
  const said = await run(process.execPath, ["node_modules/jest/bin/jest.js"], "--experimental-vm-modules");
  expect(said).toContain("1 passed, 1 total");
});
