import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { rollup } from "rollup";
import { build, type Rolldown } from "vite";
import { expect, onTestFinished, test } from "vitest";

/** The limit that the documents state: 6 KiB. */
const MOST_BYTES = 6 * 1024;

/** The limit that the documents state for the single file, which has everything that the package exports: 6.5 KiB. */
const MOST_BYTES_OF_FILE = 6.5 * 1024;

/** The folder of the package. */
const ROOT = new URL("../../..", import.meta.url).pathname;

/** The client as it is in the package, compiled, as a bundler for pages finds it by the name `roomcast/client`. */
const CLIENT = new URL("../../../dist/client/index.js", import.meta.url).pathname;

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  readonly unpkg: string;
  readonly jsdelivr: string;
  readonly exports: Readonly<Record<string, { readonly default: string }>>;
};

/** A page that uses the client. */
const SOURCE = `import { connect } from ${JSON.stringify(CLIENT)};
connect("wss://example.org/chat").emit("chat", "Hello");
`;

/** The most that presence adds to the client. */
const MOST_BYTES_OF_PRESENCE = 512;

/** A page that shows who is present. */
const WITH_PRESENCE = `${SOURCE}
import { presence } from ${JSON.stringify(new URL("../../../dist/client/presence.js", import.meta.url).pathname)};
presence(connect("wss://example.org/chat"), "lobby").on("change", console.log);
`;

/** The most that the hooks for React add to the client: 1.5 KiB. */
const MOST_BYTES_OF_HOOKS = 1.5 * 1024;

/** A page that uses all of `roomcast/react` beside the client. */
const WITH_HOOKS = `${SOURCE}
import * as hooks from ${JSON.stringify(new URL("../../../dist/react/index.js", import.meta.url).pathname)};
console.log({ ...hooks });
`;

const BUNDLERS: Readonly<Record<string, (input: string) => Promise<string>>> = {
  async Vite(input) {
    const { output } = (await build({
      configFile: false,
      logLevel: "silent",
      root: join(input, ".."),
      build: {
        write: false,
        minify: true,
        rolldownOptions: { input, external: ["react"], preserveEntrySignatures: "strict" },
      },
    })) as Rolldown.RolldownOutput;
    return output[0].code;
  },
  async esbuild(input) {
    const { outputFiles } = await esbuild.build({
      entryPoints: [input],
      bundle: true,
      external: ["react"],
      format: "esm",
      minify: true,
      write: false,
    });
    return outputFiles[0]?.text ?? "";
  },
  /** Rollup itself does not minify. Its users choose among several minifiers, of which this one makes the least of it. */
  async rollup(input) {
    const bundle = await rollup({ input, external: ["react"], logLevel: "silent" });
    onTestFinished(() => bundle.close());
    const { output } = await bundle.generate({ format: "es" });
    return (await esbuild.transform(output[0].code, { format: "esm", minify: true })).code;
  },
};

/** Bundles a page. */
async function bundled(bundle: (input: string) => Promise<string>, source: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "roomcast-size-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const input = join(folder, "entry.js");
  writeFileSync(input, source);
  return bundle(input);
}

const sizeOf = (code: string): number => gzipSync(code, { level: 9 }).byteLength;

test.each(Object.entries(BUNDLERS))(
  "a page that uses the client takes at most 6 KiB, as %s bundles it",
  async (_, bundle) => {
    const code = await bundled(bundle, SOURCE);
    expect(code).toContain("hub:hello");
    expect(code).not.toContain("import");
    expect(sizeOf(code)).toBeLessThanOrEqual(MOST_BYTES);
  },
);

test.each(Object.entries(BUNDLERS))(
  "presence adds at most 512 bytes to the client, as %s bundles it",
  async (_, bundle) => {
    const [client, all] = await Promise.all([bundled(bundle, SOURCE), bundled(bundle, WITH_PRESENCE)]);
    expect(all).toContain("hub:dropped");
    expect(sizeOf(all) - sizeOf(client)).toBeLessThanOrEqual(MOST_BYTES_OF_PRESENCE);
  },
);

test.each(Object.entries(BUNDLERS))(
  "the hooks for React add at most 1.5 KiB to the client, as %s bundles them",
  async (_, bundle) => {
    const [client, all] = await Promise.all([bundled(bundle, SOURCE), bundled(bundle, WITH_HOOKS)]);
    expect(all).toContain("createHubHooks");
    expect(new Set(Array.from(all.matchAll(/\bfrom ?"([^"]+)"/g), ([, name]) => name))).toEqual(new Set(["react"]));
    expect(sizeOf(all) - sizeOf(client)).toBeLessThanOrEqual(MOST_BYTES_OF_HOOKS);
  },
);

test.each(["index", "presence"])("the entry %s of the hooks is for the client side of server components", (name) => {
  const entry = new URL(`../../../dist/react/${name}.js`, import.meta.url);
  expect(readFileSync(entry, "utf8")).toMatch(/^"use client";/);
});

test("the single file takes at most 6.5 KiB, and exports what the client's entry exports", async () => {
  const { "./client/bundle": entry } = manifest.exports;
  const file = join(ROOT, entry?.default ?? "");
  expect([manifest.unpkg, manifest.jsdelivr]).toEqual([entry?.default, entry?.default]);
  expect(gzipSync(readFileSync(file), { level: 9 }).byteLength).toBeLessThanOrEqual(MOST_BYTES_OF_FILE);
  const [single, whole] = (await Promise.all([file, CLIENT].map((path) => import(path)))) as [object, object];
  expect(Object.keys(single).toSorted()).toEqual(Object.keys(whole).toSorted());
});

test.each([
  ["browser", "dist/client/index.js"],
  ["node", "dist/client/node.js"],
] as const)("a program for the platform %s gets %s", async (platform, entry) => {
  const { metafile } = await esbuild.build({
    stdin: { contents: 'export * from "roomcast/client";', resolveDir: ROOT },
    absWorkingDir: ROOT,
    bundle: true,
    format: "esm",
    metafile: true,
    platform,
    // The package as its users see it, not its source.
    tsconfigRaw: {},
    write: false,
  });
  const entries = Object.keys(metafile.inputs).filter((path) => /client\/(index|node)\.js$/.test(path));
  expect(entries).toEqual([entry]);
});
