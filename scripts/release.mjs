// Makes a release of what lies here: checks everything, writes version and date, commits and tags. It publishes nothing.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({ options: { "dry-run": { type: "boolean" } }, allowPositionals: true });
const [step] = positionals;
if (positionals.length !== 1 || !/^(patch|minor|major|\d+\.\d+\.\d+)$/.test(step)) {
  fail('Say which version: "patch", "minor", "major", or one such as 1.2.3.');
}

if (read("git", "status", "--porcelain") !== "") fail("The tree is not clean. Commit or stash first.");
const changelog = readFileSync("CHANGELOG.md", "utf8");
const [changes = ""] = (changelog.split("\n## [Unreleased]\n")[1] ?? "").split(/^## /m);
if (changes.trim() === "") fail('CHANGELOG.md says nothing under "Unreleased". Write there what users will notice.');
run("npm", "run", "check");
if (read("git", "status", "--porcelain") !== "") fail("The checks changed files. Look at them, and commit or undo.");

if (values["dry-run"]) {
  console.log(`All is well for "${step}" with these changes:\n${changes}`);
  process.exit();
}

const tag = read("npm", "version", "--no-git-tag-version", step);
const heading = `## [Unreleased]\n\n## [${tag.slice(1)}] - ${new Date().toISOString().slice(0, 10)}\n`;
writeFileSync(
  "CHANGELOG.md",
  changelog.replace("## [Unreleased]\n", () => heading),
);
run("git", "commit", "--quiet", "--all", "--message", `Release ${tag.slice(1)}`);
run("git", "tag", "--annotate", "--message", tag, tag);
console.log(`${tag} is committed and tagged. To publish it:\n\n  git push --follow-tags && npm publish\n`);

function read(command, ...args) {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}

function run(command, ...args) {
  execFileSync(command, args, { stdio: "inherit" });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
