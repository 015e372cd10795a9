import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkAnchors } from "../../docs/.vitepress/anchors.ts";
import { pagesIn } from "../../docs/.vitepress/pages.ts";
import { targetOf } from "../../docs/.vitepress/targets.ts";
import { readText } from "../support/markdown.ts";
import { TemporaryFolder } from "../support/temporary-folder.ts";

const folder = new TemporaryFolder("roomcast-pages-");

afterAll(() => folder.remove());

function writePage(name: string, text: string): void {
  mkdirSync(join(folder.path, "built/guide"), { recursive: true });
  writeFileSync(join(folder.path, "built", name), text);
}

test("links between documents become links between pages", () => {
  expect(targetOf("API.md", "ERRORS.md#in-the-client")).toBe("/ERRORS.md#in-the-client");
  expect(targetOf("API.md", "#limits")).toBe("#limits");
  expect(targetOf("API.md", "https://example.org/a.md")).toBe("https://example.org/a.md");
  expect(targetOf("SECURITY.md", "../SECURITY.md")).toBe("/project/SECURITY.md");
  expect(targetOf("project/README.md", "docs/PROTOCOL.md#hello")).toBe("/PROTOCOL.md#hello");
  expect(targetOf("project/README.md", "docs/decisions")).toBe("/decisions/0001-batches.md");
  expect(targetOf("PROTOCOL.md", "protocol-vectors.json")).toBe("/protocol-vectors.json");
});

test("a link to a file that the site does not have has no target", () => {
  expect(targetOf("project/CONTRIBUTING.md", "package.json")).toBeUndefined();
});

test("a link that leads nowhere fails the build", () => {
  expect(() => targetOf("API.md", "NOWHERE.md")).toThrow("docs/API.md: the link to NOWHERE.md leads nowhere.");
});

test("a link to an anchor that is not there fails the build", () => {
  writePage("index.html", '<h2 id="here"></h2><a href="/guide/rooms.html#there"></a><a href="#here"></a>');
  writePage("guide/rooms.html", '<h2 id="there"></h2><a href="../index.html#here"></a>');
  checkAnchors(join(folder.path, "built"));
  writePage("guide/users.html", '<a href="/guide/rooms.html#nowhere"></a><a class="x" href="#gone"></a>');
  expect(() => checkAnchors(join(folder.path, "built"))).toThrow(
    "/guide/users.html: /guide/rooms.html#nowhere\n/guide/users.html: #gone",
  );
});

test("the sidebar has every document of a folder by its heading, the decisions in their order", () => {
  const decisions = pagesIn("decisions");
  expect(decisions.map(({ path }) => path)).toStrictEqual(
    readdirSync(new URL("../../docs/decisions", import.meta.url))
      .toSorted()
      .map((name) => `decisions/${name}`),
  );
  expect(decisions[1]?.title).toBe("2. Under ws, frames go to the TCP socket of the upgrade");
  expect(pagesIn("nowhere")).toStrictEqual([]);
});

test("the sidebar has the documents in the order of the links on the first page", () => {
  const [first, ...others] = pagesIn("").map(({ path }) => path);
  expect(first).toBe("index.md");
  const linked = Array.from(readText("docs/index.md").matchAll(/\]\((\w+\.md)\)/g), ([, path = ""]) => path);
  expect(others.slice(0, linked.length)).toStrictEqual(linked);
});
