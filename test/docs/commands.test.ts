import { expect, test } from "vitest";
import { blocksOf, readText } from "../support/markdown.ts";

const ci = readText(".ci/run");

test("the continuous integration runs the README's test command as it stands there", () => {
  const commands = blocksOf("README.md").map(({ text }) => text.trim());
  const command = commands.find((text) => text.includes("npm test"));
  expect(command).toBe("npm ci && npm test");
  expect(ci.split("\n")).toContain(`${command} || status=1`);
});

test("the continuous integration then runs everything else that `npm run check` has", () => {
  const { scripts } = JSON.parse(readText("package.json")) as { scripts: { check: string } };
  const checks = scripts.check.split(" && ");
  expect(checks).toContain("npm test");
  const others = checks.filter((check) => check !== "npm test").map((check) => check.replace("npm run ", ""));
  const run = Array.from(ci.matchAll(/^for script in (.*); do$\n(.*)/gm), ([, names = "", body = ""]) => ({
    names,
    body,
  }));
  const ran = run.filter(({ body }) => body.includes('npm run "$script"')).flatMap(({ names }) => names.split(" "));
  expect(ran).toStrictEqual(others);
});
