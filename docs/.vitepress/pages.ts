import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the site's pages. */
export const DOCS: string = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** A page of the site. */
export interface Page {
  /** The path of the page in `docs`, such as `guide/rooms.md`. */
  readonly path: string;
  /** The first heading. */
  readonly title: string;
}

/** The folders in a folder of `docs`, by their names. */
export function foldersIn(folder: string): readonly string[] {
  const entries = readdirSync(`${DOCS}/${folder}`, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).toSorted();
}

/**
 * The pages of a folder of `docs`, without those of its folders: the contents, the pages to which these link in the order of
 * the links, and then the others by their titles. No pages if there is no such folder.
 */
export function pagesIn(folder: string): readonly Page[] {
  if (!existsSync(`${DOCS}/${folder}`)) return [];
  const names = readdirSync(`${DOCS}/${folder}`).filter((name) => name.endsWith(".md"));
  const first = contentsOf(folder, names);
  const place = ({ path }: Page): number => {
    const index = first.indexOf(posix.basename(path));
    return index === -1 ? first.length : index;
  };
  return names
    .map((name) => pageAt(posix.join(folder, name)))
    .toSorted((a, b) => place(a) - place(b) || compareTitles(a.title, b.title));
}

/** The page that leads to the others of its folder, and those to which it links; none if no page links to half of them. */
function contentsOf(folder: string, names: readonly string[]): readonly string[] {
  const lists = names.map((name) => [...new Set([name, ...linksIn(posix.join(folder, name))])]);
  const named = lists.find(([name]) => name === "index.md" || name === "README.md");
  return named ?? lists.find((list) => list.filter((name) => names.includes(name)).length > names.length / 2) ?? [];
}

const { compare: compareTitles } = new Intl.Collator("en", { numeric: true });

function pageAt(path: string): Page {
  // A page that shows a document of the repository has the heading of that document.
  const text = readText(path).replace(/^<!--@include: (\S+)-->/, (_, file: string) =>
    readText(posix.join(posix.dirname(path), file)),
  );
  const heading = /^# (.+)$/m.exec(text)?.[1] ?? path;
  return { path, title: heading.replaceAll(/[`\\]/g, "") };
}

function linksIn(path: string): readonly string[] {
  return Array.from(readText(path).matchAll(/\]\((?:\.\/)?([\w-]+\.md)/g), ([, name = ""]) => name);
}

const readText = (path: string): string => readFileSync(`${DOCS}/${path}`, "utf8");
