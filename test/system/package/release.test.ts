import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../../scripts/release.mjs", import.meta.url));
const CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n- News for $&\n\n## [0.1.0] - 2026-11-24\n\n- Old\n";

let folder: string;

function git(...args: readonly string[]): string {
  return execFileSync("git", args, { cwd: folder, encoding: "utf8" }).trim();
}

/** Puts a package whose checks do what they are told into a repository. */
function commit(changelog: string, check: string): void {
  const manifest = { name: "released", version: "0.1.0", scripts: { check } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(folder, "CHANGELOG.md"), changelog);
  git("add", "--all");
  git("commit", "--quiet", "--message", "Everything");
}

function release(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { cwd: folder, encoding: "utf8" });
  return { status, said: stdout + stderr };
}

/** Expects that neither the files nor the history have changed since `commit`. */
function expectUntouched(): void {
  expect(git("log", "--format=%s")).toBe("Everything");
  expect(git("tag")).toBe("");
  expect(git("diff")).toBe("");
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "roomcast-release-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  git("init", "--quiet");
  git("config", "user.name", "Test");
  git("config", "user.email", "test@localhost");
});

test("a release is a version, a dated section, a commit and a tag", () => {
  commit(CHANGELOG, "echo checked");
  const { status, said } = release("minor");
  expect(status).toBe(0);
  expect(said).toMatch(/checked\n[^]*npm publish\n/);
  expect(JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))).toHaveProperty("version", "0.2.0");
  const changelog = readFileSync(join(folder, "CHANGELOG.md"), "utf8").replace(/\d{4}-\d\d-\d\d/, "TODAY");
  expect(changelog).toBe(CHANGELOG.replace("[Unreleased]", "[Unreleased]\n\n## [0.2.0] - TODAY"));
  expect(git("status", "--porcelain")).toBe("");
  expect(git("log", "-1", "--format=%s")).toBe("Release 0.2.0");
  expect(git("describe")).toBe("v0.2.0");
});

describe("nothing is changed", () => {
  test("by a dry run, which says what would be released", () => {
    commit(CHANGELOG, "echo checked");
    const { status, said } = release("1.0.0", "--dry-run");
    expect({ status, said }).toMatchObject({ status: 0, said: expect.stringMatching(/checked\n[^]*- News for \$&/) });
    expectUntouched();
  });

  test.each([
    ["without a version", [], CHANGELOG, "echo checked", "Say which version"],
    ["with a version that is none", ["big"], CHANGELOG, "echo checked", "Say which version"],
    ["when nothing is new", ["minor"], CHANGELOG.replace(/- News.*\n/, ""), "echo checked", "says nothing"],
    ["when a check fails", ["minor"], CHANGELOG, "exit 1", "npm run check"],
    ["when a check changes files", ["minor"], CHANGELOG, "touch file", "The checks changed files"],
  ])("%s", (_, args, changelog, check, complaint) => {
    commit(changelog, check);
    const { status, said } = release(...args);
    expect(status).toBe(1);
    expect(said).toContain(complaint);
    expectUntouched();
  });

  test("in a tree that is not clean", () => {
    commit(CHANGELOG, "echo checked");
    writeFileSync(join(folder, "file"), "");
    expect(release("minor")).toMatchObject({ status: 1, said: expect.stringContaining("not clean") });
    expectUntouched();
  });
});
