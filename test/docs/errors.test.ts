import { readdirSync } from "node:fs";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { WireErrorCode } from "../../src/protocol/packet.ts";
import { blocksOf, codesIn, headingsOf, readText, sectionOf, tablesOf } from "../support/markdown.ts";
import { closeAll, removeSnippets, run } from "../support/snippets.ts";

const PATH = "docs/ERRORS.md";

const [, union = ""] = /export type HubErrorCode =\n(.*?);/s.exec(readText("src/errors.ts")) ?? [];
const codes = Array.from(union.matchAll(/"(\w+)"/g), ([, code = ""]) => code);

/** Where nothing but the installation or the handler's own decision brings the error about. */
const NOT_SHOWN = new Set([
  "EMFILE",
  "ERR_HUB_BACKPLANE",
  "ERR_HUB_BACKPLANE_UNAVAILABLE",
  "ERR_HUB_REPLY",
  "ERR_HUB_TRANSPORT_UNAVAILABLE",
]);

function sources(): string {
  const files = readdirSync(new URL("../../src", import.meta.url), { recursive: true, encoding: "utf8" });
  return files
    .filter((path) => path.endsWith(".ts"))
    .map((path) => readText(`src/${path}`))
    .join("\n");
}

test("every code has a heading, and every heading is a code", () => {
  expect(codes.length).toBeGreaterThan(15);
  expect(headingsOf(PATH, 3).toSorted()).toStrictEqual(codes.toSorted());
});

test("every documented code is thrown somewhere, and no other code is", () => {
  const text = sources();
  const thrown = Array.from(text.matchAll(/(?:new HubError|super)\(\s*"([A-Z_]+)"/g), ([, code = ""]) => code);
  const [, system = ""] = /SYSTEM_CODES[^=]*= new Map\((.*?)\);/s.exec(text) ?? [];
  thrown.push(...Array.from(system.matchAll(/\["(\w+)",/g), ([, code = ""]) => code));
  expect([...new Set(thrown)].toSorted()).toStrictEqual(codes.toSorted());
});

test("every code has an example under its heading", () => {
  const parts = readText(PATH).split(/^### /m).slice(1);
  const without = parts.filter((part) => {
    const [code = ""] = part.split("\n", 1);
    return !part.includes(NOT_SHOWN.has(code) ? "```ts" : `\`\`\`ts throws ${code}\n`);
  });
  expect(without).toStrictEqual([]);
});

test("each code of the client has a row and is used", () => {
  const declared = /export type ClientErrorCode =\n(.*?);/s.exec(readText("src/client/errors.ts"))?.[1] ?? "";
  const clientCodes = Array.from(declared.matchAll(/"(\w+)"/g), ([, code = ""]) => code);
  const rows = tablesOf(sectionOf(PATH, "In the client"))[0] ?? [];
  expect(rows.flatMap(([code = ""]) => codesIn(code)).toSorted()).toStrictEqual(clientCodes.toSorted());
  const used = Array.from(sources().matchAll(/ClientError\(\s*"(\w+)"/g), ([, code = ""]) => code);
  expect([...new Set(used)].toSorted()).toStrictEqual(clientCodes.toSorted());
});

test("the reasons on the wire are those of the code", () => {
  const rows = tablesOf(sectionOf(PATH, "On the wire"))[0] ?? [];
  expect(rows.flatMap(([reason = ""]) => codesIn(reason)).toSorted()).toStrictEqual(
    Object.values(WireErrorCode).toSorted(),
  );
});

describe("the example", () => {
  afterEach(closeAll);
  afterAll(removeSnippets);

  const failing = blocksOf(PATH).filter(({ info }) => info[1] === "throws");

  test.each(failing.map((block) => ({ code: block.info[2], block })))(
    "of $code fails with it",
    async ({ code, block }) => {
      await expect(run(block)).rejects.toMatchObject({ code });
    },
  );
});
