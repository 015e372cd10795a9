import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** A copy of the source, in which walls may be breached. */
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "roomcast-walls-"));
  await cp(join(ROOT, "src"), join(folder, "src"), { recursive: true });
  const config = JSON.parse(await readFile(join(ROOT, ".oxlintrc.json"), "utf8")) as { options: object };
  // The walls need no types.
  await writeFile(join(folder, ".oxlintrc.json"), JSON.stringify({ ...config, options: { typeAware: false } }));
});

afterEach(() => rm(folder, { recursive: true }));

/** Adds lines to a file. */
async function plant(path: string, text: string): Promise<void> {
  const file = join(folder, path);
  await writeFile(file, `${text}\n${await readFile(file, "utf8")}`);
}

/** What the linter says of the copy. */
async function lint(): Promise<{ readonly code: number; readonly text: string }> {
  return new Promise((resolve) => {
    const child = execFile(join(ROOT, "node_modules/.bin/oxlint"), ["src"], { cwd: folder }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, text: stdout + stderr });
    });
  });
}

test("the linter has nothing to say of the source as it is", async () => {
  expect(await lint()).toMatchObject({ code: 0 });
});

test.each([
  [
    "a type import upwards",
    "src/members/members.ts",
    'import type { Socket } from "../hub/socket.ts";\nexport type Planted = Socket;',
    "no-restricted-imports",
    "ARCHITECTURE.md says what the room members may import.",
  ],
  [
    "a circle by types",
    "src/delivery/batch.ts",
    'import type { Backlog } from "./backlog.ts";\nexport type Planted = Backlog;',
    "no-cycle",
    "Dependency cycle detected",
  ],
  [
    "a transport that knows another",
    "src/transports/ws/index.ts",
    'import type { uws } from "../uws/index.ts";\nexport type Planted = typeof uws;',
    "no-restricted-imports",
    "never another implementation",
  ],
  [
    "a room without Node.js that imports it",
    "src/rooms/rooms.ts",
    'import type { Buffer } from "node:buffer";\nexport type Planted = Buffer;',
    "no-restricted-imports",
    "ARCHITECTURE.md says what the room rooms may import.",
  ],
])("the linter complains of %s", async (_, path, text, rule, message) => {
  await plant(path, text);
  const complaint = await lint();
  expect(complaint.code).not.toBe(0);
  expect(complaint.text).toContain(rule);
  expect(complaint.text).toContain(message);
});
