import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { describe, expect, test } from "vitest";
import { documentPaths, proseOf, readText } from "../support/markdown.ts";

const ROOT = new URL("../..", import.meta.url);

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(path: string): readonly string[] {
  return Array.from(proseOf(path).matchAll(/^#+ (.*)$/gm), ([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** What a link in a document at `path` fails to lead to; `undefined` if it leads somewhere. */
function missing(path: string, link: string): string | undefined {
  const [file = "", anchor] = link.split("#", 2);
  const target = file === "" ? path : join(dirname(path), file);
  if (!existsSync(new URL(target, ROOT))) return `${path}: ${link}`;
  return anchor === undefined || anchorsOf(target).includes(anchor) ? undefined : `${path}: ${link}`;
}

/** The links of a document that lead to files of the project. */
function relativeLinks(path: string): readonly string[] {
  const links = Array.from(proseOf(path).matchAll(/\]\(([^)\s]+)\)/g), ([, link = ""]) => link);
  return links.filter((link) => !/^https?:/.test(link));
}

describe.each(documentPaths())("%s", (path) => {
  test("its relative links lead somewhere", () => {
    expect(relativeLinks(path).flatMap((link) => missing(path, link) ?? [])).toStrictEqual([]);
  });

  test("the npm scripts that it names exist", () => {
    const { scripts } = JSON.parse(readText("package.json")) as { scripts: Record<string, string> };
    const named = Array.from(readText(path).matchAll(/npm run (?:--\S+ )*([\w:-]+)/g), ([, name = ""]) => name);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toStrictEqual([]);
  });

  test("the files that it names in the source exist", () => {
    const named = Array.from(
      proseOf(path).matchAll(/`((?:src|test|bench|examples)\/[\w./-]+)`/g),
      ([, name = ""]) => name,
    );
    expect(named.filter((name) => !existsSync(new URL(name, ROOT)))).toStrictEqual([]);
  });
});

test("in the package, the links lead to what is packed", () => {
  const [report] = JSON.parse(
    execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: ROOT, encoding: "utf8" }),
  ) as [{ readonly files: readonly { readonly path: string }[] }];
  const packed = report.files.map(({ path }) => path);
  const documents = documentPaths().filter((path) => packed.includes(path));
  expect(documents).toContain("docs/API.md");
  const outside = documents.flatMap((path) =>
    relativeLinks(path)
      .map((link) => link.replace(/#.*/, ""))
      .filter((file) => file !== "" && !packed.some((name) => `${name}/`.startsWith(`${join(dirname(path), file)}/`)))
      .map((file) => `${path}: ${file}`),
  );
  expect(outside).toStrictEqual([]);
});

test("the checks find links, scripts and documents", () => {
  expect(documentPaths()).toContain("README.md");
  expect(documentPaths().filter((path) => path.startsWith("docs/decisions/")).length).toBeGreaterThan(5);
  expect(proseOf("README.md")).toMatch(/\]\(docs\//);
  expect(readText("README.md")).toMatch(/npm run demo/);
});
