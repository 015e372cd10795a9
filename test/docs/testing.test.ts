import { afterAll, expect, test } from "vitest";
import { blocksOf } from "../support/markdown.ts";
import { removeSnippets, run } from "../support/snippets.ts";

/*
 * `test/docs/snippets.test.ts` compiles what is written for `node:test`, but cannot run it. Vitest has the same functions:
 * here the examples declare their tests with these.
 */
const examples = blocksOf("docs/TESTING.md").filter(({ text }) => text.includes('"node:test"'));

afterAll(removeSnippets);

test("the document has examples", () => {
  expect(examples).not.toHaveLength(0);
});

for (const example of examples) {
  await run({ ...example, text: example.text.replace('"node:test"', '"vitest"') });
}
