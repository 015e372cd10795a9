import { readdirSync, readFileSync } from "node:fs";

const ROOT = new URL("../..", import.meta.url);

/** A fenced code block. */
export interface Block {
  /** The document, as a path from the root of the project. */
  readonly path: string;
  /** The line of the document that the first line of the text is. */
  readonly line: number;
  /** The words after the opening fence; the first names the language. */
  readonly info: readonly string[];
  readonly text: string;
}

/** The folders of `docs/` that hold what `npm run docs` installs and writes. */
const NOT_WRITTEN = /^docs\/(?:node_modules|project|reference|\.vitepress)\//;

/** The documents at the root and everything in `docs/`, as paths from the root of the project. */
export function documentPaths(): readonly string[] {
  const docs = readdirSync(new URL("docs/", ROOT), { recursive: true, encoding: "utf8" });
  const paths = [...readdirSync(ROOT), ...docs.map((path) => `docs/${path}`)];
  return paths.filter((path) => path.endsWith(".md") && !NOT_WRITTEN.test(path)).toSorted();
}

/** A text file of the project. */
export function readText(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** The code blocks of a document, in order. */
export function blocksOf(path: string): readonly Block[] {
  const text = readText(path);
  return Array.from(text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms), ({ index, 1: info = "", 2: body = "" }) => ({
    path,
    line: text.slice(0, index).split("\n").length + 1,
    info: info.split(" "),
    text: body,
  }));
}

/**
 * The path of the file that a code block shows, if it shows one: in `docs/frameworks/NAME.md`, a block with the info
 * `js server.mjs` shows `examples/frameworks/NAME/server.mjs`.
 */
export function fileShownBy({ path, info: [, file] }: Block): string | undefined {
  const [, name] = /^docs\/frameworks\/([\w-]+)\.md$/.exec(path) ?? [];
  return name === undefined || !file?.includes(".") ? undefined : `examples/frameworks/${name}/${file}`;
}

/** The name of the file that a code block of the README or the guide has the reader write, if it does. */
export function fileWrittenBy({ path, info: [, file] }: Block): string | undefined {
  const isFollowed = path === "README.md" || path.startsWith("docs/guide/");
  return isFollowed && file?.includes(".") ? file : undefined;
}

/** A document without its code blocks. */
export function proseOf(path: string): string {
  return readText(path).replaceAll(/^```.*?^```$/gms, "");
}

/** The headings of a level, without the marks. */
export function headingsOf(path: string, level: number): readonly string[] {
  return Array.from(proseOf(path).matchAll(/^(#+) (.*)$/gm))
    .filter(([, marks = ""]) => marks.length === level)
    .map(([, , heading = ""]) => heading);
}

/** The text below a heading of the second level, without code blocks. */
export function sectionOf(path: string, heading: string): string {
  const sections = proseOf(path).split(/^## /m);
  const section = sections.find((candidate) => candidate.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`${path} has no section "${heading}".`);
  return section;
}

/** The tables of a text. Each is its rows without the head, each row its cells. */
export function tablesOf(text: string): readonly (readonly (readonly string[])[])[] {
  return Array.from(text.matchAll(/^\|.*\n\|[ |:-]+\n((?:\|.*\n?)*)/gm), ([, rows = ""]) =>
    rows
      .trimEnd()
      .split("\n")
      .map((row) =>
        row
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
  );
}

/** The texts between the backticks of a cell. */
export function codesIn(cell: string): readonly string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, code = ""]) => code);
}
