import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";

/**
 * Checks the anchors to which the built pages link.
 *
 * @throws {Error} with all links whose page has no such anchor.
 */
export function checkAnchors(folder: string): void {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
  const texts = new Map(names.map((name) => [`/${name}`, readFileSync(`${folder}/${name}`, "utf8")]));
  const anchors = new Map(
    [...texts].map(([page, text]) => [page, new Set(Array.from(text.matchAll(/ id="([^"]+)"/g), ([, id]) => id))]),
  );
  const dead = [...texts].flatMap(([page, text]) =>
    Array.from(text.matchAll(/ href="([^":#]*)#([^"]*)"/g), ([, path = "", anchor = ""]) => {
      const target = path === "" ? page : posix.join(posix.dirname(page), path);
      const isThere = anchors.get(path.startsWith("/") ? path : target)?.has(decodeURIComponent(anchor));
      return isThere === true ? [] : [`${page}: ${path}#${anchor}`];
    }).flat(),
  );
  if (dead.length > 0) throw new Error(`Links lead to anchors that are not there:\n${dead.join("\n")}`);
}
