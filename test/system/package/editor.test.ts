import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TemporaryFolder } from "../../support/temporary-folder.ts";
import { LanguageServer } from "./language-server.ts";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));

const folder = new TemporaryFolder("roomcast-editor-");
const own = join(folder.path, "node_modules/roomcast");
let server: LanguageServer;

beforeAll(async () => {
  mkdirSync(own, { recursive: true });
  const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder.path];
  const packed = execFileSync("npm", pack, { cwd: PROJECT, encoding: "utf8" }).trim();
  execFileSync("tar", ["-xzf", join(folder.path, packed), "-C", own, "--strip-components=1"]);
  const compilerOptions = { module: "nodenext", target: "es2023", strict: true, types: [] };
  writeFileSync(join(folder.path, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  const main = join(folder.path, "main.ts");
  writeFileSync(main, 'import { Hub } from "roomcast";\nconst hub = new Hub();\nawait hub.drain();\n');
  server = await LanguageServer.open(main);
}, 120_000);

afterAll(async () => {
  await server.close();
  folder.remove();
});

test("an editor says what a hub is, and what its methods do", async () => {
  expect(await server.hover({ line: 0, character: 10 })).toContain("A hub holds all WebSocket connections of a server");
  expect(await server.hover({ line: 2, character: 12 })).toContain("Ends everything gently");
});

test("the definition of what an editor shows is code", async () => {
  const file = join(own, "src/hub/hub.ts");
  expect(await server.definitions({ line: 1, character: 17 })).toContainEqual({
    file,
    line: "export class Hub<T extends HubTypes = HubTypes> extends Sender<T> {",
  });
  expect(await server.definitions({ line: 2, character: 12 })).toStrictEqual([
    { file, line: "  drain(options: DrainOptions = {}): Promise<void> {" },
  ]);
});

test("every declaration of the package has a map, and every map leads to a source that is packed", () => {
  const paths = readdirSync(join(own, "dist"), { recursive: true, encoding: "utf8" });
  const declarations = paths.filter((path) => path.endsWith(".d.ts")).map((path) => join(own, "dist", path));
  expect(declarations.length).toBeGreaterThan(100);
  const sources = declarations.flatMap((path) => {
    const map = JSON.parse(readFileSync(`${path}.map`, "utf8")) as { readonly sources: readonly string[] };
    return map.sources.map((source) => resolve(dirname(path), source));
  });
  expect(sources.filter((path) => !existsSync(path))).toStrictEqual([]);
});
