import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { blocksOf, fileWrittenBy, proseOf, readText } from "../support/markdown.ts";

const tests = readText("test/system/package/guide.test.ts") + readText("test/system/package/guide-pages.test.ts");
const pages = readdirSync(new URL("../../docs/guide", import.meta.url)).map((name) => `docs/guide/${name}`);

test("the README has at most 120 lines, and its first file at most 25", () => {
  expect(readText("README.md").split("\n").length - 1).toBeLessThanOrEqual(120);
  const file = blocksOf("README.md").find((block) => fileWrittenBy(block) !== undefined);
  expect(file?.text.split("\n").length).toBeLessThanOrEqual(26);
});

test("how much cheaper something is, the README takes from the measured ratios", () => {
  const claims = Array.from(proseOf("README.md").matchAll(/(\d+) times cheaper[^(]*\((0\.\d+)\)/g));
  expect(claims).toHaveLength(3);
  const measured = new Set(proseOf("docs/COMPARISON.md").match(/\b0\.\d+\b/g));
  const wrong = claims.filter(([, times, ratio = ""]) => {
    return Math.floor(1 / Number(ratio)) !== Number(times) || !measured.has(ratio);
  });
  expect(wrong.map(([claim]) => claim)).toStrictEqual([]);
});

test.each(pages)("%s is followed by a test, says where to write what, and is linked", (path) => {
  expect(tests).toContain(`"${path}"`);
  const links = proseOf("README.md") + proseOf("docs/guide/first-chat.md");
  expect(links).toContain(path.replace("docs/guide/", ""));
  const files = blocksOf(path).flatMap((block) => fileWrittenBy(block) ?? []);
  expect(files.filter((file) => !proseOf(path).includes(`\`${file}\``))).toStrictEqual([]);
});

test("a server in production has drained before it is killed", () => {
  const texts = blocksOf("docs/guide/production.md").map(({ text }) => text);
  const number = (pattern: RegExp): number => Number(pattern.exec(texts.join())?.[1]?.replaceAll("_", ""));
  expect(number(/drain\(\{ within: ([\d_]+)/)).toBeLessThan(10_000);
  expect(number(/TimeoutStopSec=(\d+)/)).toBeGreaterThan(10);
  expect(number(/LimitNOFILE=(\d+)/)).toBeGreaterThan(number(/maxConnections: ([\d_]+)/));
});
