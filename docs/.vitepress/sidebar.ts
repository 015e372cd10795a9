import type { DefaultTheme } from "vitepress";
import { foldersIn, pagesIn, type Page } from "./pages.ts";

type Item = DefaultTheme.SidebarItem;

const item = ({ path, title }: Page): Item => ({ text: title, link: `/${path.replace(/\.md$/, ".html")}` });

/** A group of pages with a heading; none if there are no pages. */
function group(text: string, pages: readonly Page[], more: Omit<Item, "text" | "items"> = {}): readonly Item[] {
  return pages.length === 0 ? [] : [{ text, items: pages.map(item), ...more }];
}

/** The groups of the sidebar beside all pages but the reference, each from its folder. */
export function documents(): readonly Item[] {
  return [
    ...group("Guide", pagesIn("guide")),
    ...group("Frameworks", pagesIn("frameworks")),
    ...group(
      "Topics",
      pagesIn("").filter(({ path }) => path !== "index.md"),
    ),
    ...group("Decisions", pagesIn("decisions"), { collapsed: true }),
    ...group("Project", pagesIn("project"), { collapsed: true }),
  ];
}

/** The sidebar beside the reference: a group for each entry point. */
export function reference(): readonly Item[] {
  return [{ text: "Entry points", link: "/reference/" }, ...entryPoints("reference")];
}

function entryPoints(folder: string): readonly Item[] {
  const folders = foldersIn(folder);
  const kinds = folders.flatMap((name) => {
    return KINDS[name] === undefined ? [] : group(KINDS[name], pagesIn(`${folder}/${name}`));
  });
  const others = folders
    .filter((name) => KINDS[name] === undefined)
    .flatMap((name) => entryPoints(`${folder}/${name}`));
  if (kinds.length === 0) return others;
  const text = folder.replace("reference/", "");
  return [{ text, link: `/${folder}/`, items: [...kinds], collapsed: text !== "roomcast" }, ...others];
}

/** The headings of the folders in which the reference has an entry point's pages. */
const KINDS: Readonly<Record<string, string>> = {
  classes: "Classes",
  interfaces: "Interfaces",
  functions: "Functions",
  variables: "Variables",
  "type-aliases": "Types",
};

/** The links at the top: to the first page of each group, and to the reference. */
export function navigation(): DefaultTheme.NavItemWithLink[] {
  const groups = documents().filter(({ text }) => text !== "Project");
  const links = groups.map(({ text = "", items: [first] = [] }) => ({ text, link: first?.link ?? "/" }));
  const index = links.findIndex(({ text }) => text === "Decisions");
  return links.toSpliced(index, 0, { text: "Reference", link: "/reference/" });
}
