import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../../examples/frameworks", import.meta.url));

/** What somebody who tries an example leaves in its folder. */
const LEFT_BEHIND = new Set(["node_modules", "package-lock.json", "dist", "build", ".next", ".svelte-kit"]);

/** The names of the examples in `examples/frameworks`. */
export function frameworkExamples(): readonly string[] {
  return readdirSync(FOLDER).toSorted();
}

/** The path of an example's folder. */
export function exampleFolder(name: string): string {
  return join(FOLDER, name);
}

/** The paths of an example's files, in its folder. */
export function exampleFiles(name: string): readonly string[] {
  return filesIn(exampleFolder(name));
}

function filesIn(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => !LEFT_BEHIND.has(entry.name));
  return entries
    .flatMap((entry) =>
      entry.isDirectory() ? filesIn(join(folder, entry.name)).map((path) => join(entry.name, path)) : [entry.name],
    )
    .toSorted();
}
