import { afterAll, afterEach, describe, expect, test } from "vitest";
import { blocksOf, documentPaths, fileShownBy, fileWrittenBy, type Block } from "../support/markdown.ts";
import { closeAll, compile, removeSnippets, run } from "../support/snippets.ts";
import { TRANSPORTS } from "../support/transports.ts";

/*
 * What stands behind the ``` of a snippet: `ts` compiles and runs; `ts no-run` only compiles; `ts throws CODE`
 * compiles, and `errors.test.ts` runs it. `tsx` only compiles. Every snippet is complete: it imports what it uses. Those
 * that show a file of an example are left to `frameworks.test.ts`, and those that a reader writes to a file to
 * `test/system/package`.
 */
const snippets = documentPaths()
  .flatMap(blocksOf)
  .filter(({ info }) => info[0] === "ts" || info[0] === "tsx")
  .filter((block) => fileShownBy(block) === undefined && fileWrittenBy(block) === undefined);

test.each([
  "docs/ERRORS.md",
  "docs/MIGRATING.md",
  "docs/PROTOCOL.md",
  "docs/PROXIES.md",
  "docs/REACT.md",
  "docs/TESTING.md",
  "docs/TRANSPORTS.md",
  "docs/guide/first-chat.md",
])("%s has snippets", (path) => {
  expect(snippets.filter((block) => block.path === path)).not.toHaveLength(0);
});

test("no snippet is marked with a word that means nothing", () => {
  const marks = new Set(snippets.map(({ info: [, mark] }) => mark));
  expect([...marks].filter((mark) => ![undefined, "no-run", "throws"].includes(mark))).toStrictEqual([]);
});

afterAll(removeSnippets);

test("every snippet compiles", { timeout: 120_000 }, async () => {
  expect(await compile(snippets)).toBe("");
});

describe("running", () => {
  afterEach(closeAll);

  const runnable = snippets.filter((block) => block.info[0] === "ts" && block.info[1] === undefined && canRun(block));

  test.each(runnable.map((block) => ({ path: block.path, line: block.line, block })))(
    "the snippet at $path:$line",
    async ({ block }) => {
      await expect(run(block)).resolves.toBeDefined();
    },
  );
});

function canRun({ text }: Block): boolean {
  return TRANSPORTS.includes("uws") || !/"uWebSockets.js"|transport: "uws"/.test(text);
}
