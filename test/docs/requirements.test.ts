import { readFileSync } from "node:fs";
import { transform } from "esbuild";
import { expect, test } from "vitest";
import { proseOf, readText, tablesOf } from "../support/markdown.ts";
import { PLATFORMS } from "../system/platforms/platforms.ts";

interface Manifest {
  readonly engines: { readonly node: string };
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readText("package.json")) as Manifest;
const FILE = new URL("../../dist/client/roomcast-client.min.js", import.meta.url);

/** The versions in `docs/REQUIREMENTS.md`, by what they are versions of. */
const VERSIONS = new Map(
  tablesOf(proseOf("docs/REQUIREMENTS.md"))[0]?.map(([what = "", version = ""]) => [what, version]),
);

test("REQUIREMENTS.md has the versions of package.json", () => {
  expect(VERSIONS.get("Node.js")).toBe(manifest.engines.node.replace(/^>=(.*)$/, "$1 or newer"));
  expect(VERSIONS.get("React")).toBe(manifest.peerDependencies["react"]?.replace(/^>=(.*)$/, "$1 or newer"));
  const bundlers = { Vite: "vite", esbuild: "esbuild", Rollup: "rollup" };
  for (const [name, dependency] of Object.entries(bundlers)) {
    const [, major = "", minor = ""] = /(\d+)\.(\d+)/.exec(manifest.devDependencies[dependency] ?? "") ?? [];
    expect(VERSIONS.get("bundlers")).toContain(`${name} ${major === "0" ? `${major}.${minor}` : major}`);
  }
});

test.each(["Bun", "Deno"])("REQUIREMENTS.md has the version of %s that the client is tested on", (name) => {
  const runner = PLATFORMS.find((platform) => platform.name === name)?.runner;
  const from = typeof runner === "object" ? runner.package : undefined;
  expect(from).toContain(`@${VERSIONS.get(name)?.replace(", for the client", "")}.`);
});

test("the single file of the client has no syntax that is newer than the oldest browsers of REQUIREMENTS.md", async () => {
  const oldest = Array.from(
    (VERSIONS.get("browsers") ?? "").matchAll(/(\w+) ([\d.]+)/g),
    ([, name = "", version = ""]) => `${name.toLowerCase()}${version}`,
  );
  expect(oldest).toHaveLength(3);
  const source = readFileSync(FILE, "utf8");
  const [asItIs, lowered] = await Promise.all(["esnext", oldest].map((target) => transform(source, { target })));
  // Syntax that one of the browsers does not have would be replaced.
  expect(lowered?.code).toBe(asItIs?.code);
});
