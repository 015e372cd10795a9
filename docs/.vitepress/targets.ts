import { existsSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import { DOCS } from "./pages.ts";

/**
 * The address on the site to which a link between documents of the repository leads, such as `/ERRORS.md#in-the-client`;
 * `undefined` for a file that the site does not have.
 *
 * @param page - the page with the link, as a path in `docs`.
 * @throws {Error} if there is no such file.
 */
export function targetOf(page: string, href: string): string | undefined {
  if (/^(?:[a-z]+:|#|\/)/.test(href)) return href;
  const [file = "", ...anchor] = href.split(/(?=#)/);
  const path = posix.join(posix.dirname(documentOf(page)), decodeURI(file));
  if (!existsSync(`${DOCS}/../${path}`)) throw new Error(`docs/${page}: the link to ${href} leads nowhere.`);
  const target = pageOf(path);
  return target && `/${target}${anchor.join("")}`;
}

/** The document of the repository that a page shows. The pages in `project` are those at the root. */
const documentOf = (page: string): string => (page.startsWith("project/") ? posix.basename(page) : `docs/${page}`);

/** The page, or the file beside the pages, for a path of the repository; for a folder its first page. */
export function pageOf(path: string): string | undefined {
  if (/^[^/]+\.md$/.test(path)) return `project/${path}`;
  if (!path.startsWith("docs/")) return undefined;
  const own = path.slice("docs/".length).replace(/\/$/, "");
  return posix.extname(own) === "" ? `${own}/${readdirSync(`${DOCS}/${own}`).toSorted()[0]}` : own;
}
