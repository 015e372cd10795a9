import { existsSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import type { MarkdownEnv, MarkdownRenderer } from "vitepress";
import { DOCS } from "./pages.ts";
import { pageOf, targetOf } from "./targets.ts";

/** The anchor of a heading, as GitHub makes them. */
export function slugOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
    .replaceAll(" ", "-");
}

/**
 * Turns links between files of the repository into links between pages of the site. A link to a file that the site does not
 * have becomes text.
 *
 * @throws {Error} if a file does not exist.
 */
export function linkPages(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("link-pages", ({ tokens, env }) => {
    const { relativePath } = env as MarkdownEnv;
    for (const { children } of tokens) {
      if (children === null) continue;
      let isText = false;
      const shown = children.filter((token) => {
        if (token.type === "link_close") return !isText;
        if (token.type !== "link_open") return true;
        const target = targetOf(relativePath, token.attrGet("href") ?? "");
        isText = target === undefined;
        if (target !== undefined) token.attrSet("href", target);
        return !isText;
      });
      children.splice(0, children.length, ...shown);
    }
  });
}

/**
 * Links names in the text to their pages: what the package exports, such as `HubOptions`, to the reference, and the path of
 * a document, such as `docs/ERRORS.md`, to the document. The first of each name in a section becomes a link.
 */
export function linkNames(markdown: MarkdownRenderer): void {
  const reference = referencePages();
  markdown.core.ruler.push("link-names", (state) => {
    const { relativePath } = state.env as MarkdownEnv;
    const linked = new Set<string>();
    let isHeading = false;
    for (const { type, children } of state.tokens) {
      if (type === "heading_open") linked.clear();
      if (type.startsWith("heading_")) isHeading = type === "heading_open";
      if (isHeading || children === null) continue;
      let isLink = false;
      const shown = children.flatMap((token) => {
        if (token.type.startsWith("link_")) isLink = token.type === "link_open";
        if (isLink || token.type !== "code_inline") return [token];
        const page = reference.get(token.content) ?? documentPage(token.content);
        if (page === undefined || page === relativePath || linked.has(page)) return [token];
        linked.add(page);
        const open = new state.Token("link_open", "a", 1);
        open.attrSet("href", `/${page}`);
        return [open, token, new state.Token("link_close", "a", -1)];
      });
      children.splice(0, children.length, ...shown);
    }
  });
}

function documentPage(code: string): string | undefined {
  return /^(?:docs\/[\w/-]+|[A-Z]+)\.md$/.test(code) && existsSync(`${DOCS}/../${code}`) ? pageOf(code) : undefined;
}

/**
 * The pages of the reference by the names that they are about. Where entry points share a name, `roomcast` comes first. A
 * name of small letters, such as `ws`, means something else more often than not.
 */
function referencePages(): ReadonlyMap<string, string> {
  const paths = readdirSync(`${DOCS}/reference`, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md") && path !== "index.md")
    .toSorted((a, b) => b.split("/").length - a.split("/").length || b.localeCompare(a));
  const named = paths.map((path) => {
    const name = path.endsWith("/index.md") ? posix.dirname(path) : posix.basename(path, ".md");
    return [name, `reference/${path}`] as const;
  });
  return new Map(named.filter(([name]) => /[A-Z/]/.test(name)));
}
