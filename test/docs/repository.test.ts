import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { codesIn, headingsOf, readText, sectionOf, tablesOf } from "../support/markdown.ts";

interface Package {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly overrides: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

interface Lock {
  readonly version: string;
  readonly packages: Readonly<Record<string, { readonly resolved?: string; readonly hasInstallScript?: true }>>;
}

const manifest = JSON.parse(readText("package.json")) as Package;
const lock = JSON.parse(readText("package-lock.json")) as Lock;

/** What the first column of a table in the section "Dependencies" names. */
function explained(table: number): readonly string[] {
  const rows = tablesOf(sectionOf("CONTRIBUTING.md", "Dependencies"))[table] ?? [];
  return rows.filter(([, reason]) => reason !== "").flatMap(([name = ""]) => codesIn(name));
}

describe("dependencies", () => {
  test("every override has a reason", () => {
    const overrides = Object.entries(manifest.overrides).flatMap(([name, override]) =>
      typeof override === "string" ? [name] : Object.keys(override).map((inner) => `${name} > ${inner}`),
    );
    expect(explained(0)).toStrictEqual(overrides);
  });

  test("every package with an install script is denied, for a reason", () => {
    const scripted = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
    const names = new Set(scripted.map(([path]) => path.replace(/^.*node_modules\//, "")));
    expect(manifest.allowScripts).toStrictEqual(Object.fromEntries([...names].map((name) => [name, false])));
    expect(explained(1)).toStrictEqual([...names]);
  });

  test.each(["", "docs/"])("the lock file in ./%s names no registry", (folder) => {
    const { packages } = JSON.parse(readText(`${folder}package-lock.json`)) as Lock;
    const addresses = Object.values(packages).map(({ resolved }) => resolved ?? "");
    expect(addresses.filter((address) => address.includes("://"))).toStrictEqual([]);
    expect(readText(`${folder}.npmrc`).split("\n")).toContain("omit-lockfile-registry-resolved=true");
    expect(readText(`${folder}.npmrc`)).not.toMatch(/:\/\//);
  });

  test("the packages of the site are pinned, and none runs a script when it is installed", () => {
    const site = JSON.parse(readText("docs/package.json")) as Pick<Package, "allowScripts"> & {
      readonly dependencies: Readonly<Record<string, string>>;
    };
    const { packages } = JSON.parse(readText("docs/package-lock.json")) as Lock;
    const scripted = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
    const names = scripted.map(([path]) => path.replace(/^.*node_modules\//, ""));
    expect(Object.values(site.dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toStrictEqual([]);
    expect(site.allowScripts).toStrictEqual(Object.fromEntries(names.map((name) => [name, false])));
  });

  test("the native code of the tests is pinned", () => {
    expect(manifest.devDependencies["uWebSockets.js"]).toMatch(/^npm:uwebsockets@\d+\.\d+\.\d+$/);
  });
});

test("the changelog and the lock file have the version of the package", () => {
  const [unreleased, newest] = headingsOf("CHANGELOG.md", 2);
  expect(unreleased).toBe("[Unreleased]");
  expect(newest).toMatch(/^\[[\d.]+\] - \d{4}-\d\d-\d\d$/);
  expect(newest).toContain(`[${manifest.version}]`);
  expect(lock.version).toBe(manifest.version);
});

/** Transports or backplanes, by their folders. What they share is none; what is in memory is in `roomcast/testing`. */
function implementations(kind: string): readonly string[] {
  const entries = readdirSync(new URL(`../../src/${kind}`, import.meta.url), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return folders.filter((name) => name !== "shared" && name !== "memory").map((name) => `${kind}/${name}`);
}

const tests = readdirSync(new URL("../../test", import.meta.url), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".test.ts"))
  .map((path) => readText(`test/${path}`));

describe.each([
  ["transports", "transportSuite("],
  ["backplanes", "backplaneSuite("],
])("all %s", (kind, suite) => {
  test.each(implementations(kind))("%s is published, documented, and passes the suite", (path) => {
    const entry = `roomcast/${path}`;
    expect(Object.keys(manifest.exports)).toContain(`./${path}`);
    expect(codesIn(sectionOf("docs/API.md", "Entry points"))).toContain(entry);
    expect(tests.filter((text) => text.includes(suite) && text.includes(`"${entry}"`))).not.toHaveLength(0);
  });
});
