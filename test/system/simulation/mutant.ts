import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build as bundled, type Plugin } from "esbuild";

/** A rule of the library that is broken: a text of a source, and what stands in its stead. */
export interface Mutant {
  readonly name: string;
  /** The file, relative to `src`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const ROOT = new URL("../../../", import.meta.url);

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, ROOT));

/**
 * Makes one module of a program and of the sources with these mutants.
 *
 * @param program - the path of the program, relative to this folder.
 * @returns the text of the module.
 * @throws {Error} if a text to replace does not occur once in its file.
 */
export async function bundle(program: string, mutants: readonly Mutant[]): Promise<string> {
  const { outputFiles } = await bundled({
    entryPoints: [fileURLToPath(new URL(program, import.meta.url))],
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    target: "node20",
    write: false,
    plugins: [sources(mutants)],
  });
  return outputFiles[0]?.text ?? "";
}

/** Loads the package by its own name from its sources, changed by the mutants. */
function sources(mutants: readonly Mutant[]): Plugin {
  return {
    name: "sources",
    setup: (build) => {
      build.onResolve({ filter: /^roomcast(?:\/\w+)?$/ }, ({ path }) => {
        const [, room] = path.split("/");
        return { path: source(room === undefined ? "index.ts" : `${room}/index.ts`) };
      });
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        let contents = readFileSync(path, "utf8");
        for (const mutant of mutants) if (source(mutant.file) === path) contents = applied(mutant, contents);
        return { contents, loader: "ts" };
      });
    },
  };
}

function applied({ file, from, name, to }: Mutant, contents: string): string {
  const parts = contents.split(from);
  if (parts.length === 2) return parts.join(to);
  throw new Error(`The mutant "${name}" replaces a text that occurs ${parts.length - 1} times in src/${file}: ${from}`);
}
