import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";
import type { Project } from "./project.ts";

/** The KiB that a module of a project takes in a page: bundled with all that it imports, minified and gzipped. */
export async function pageWeight(project: Project, module: string): Promise<number> {
  const { output } = (await build({
    configFile: false,
    logLevel: "silent",
    root: project.folder,
    build: { write: false, minify: true, rolldownOptions: { input: join(project.folder, module) } },
  })) as Rolldown.RolldownOutput;
  return gzipSync(output[0].code).length / 1_024;
}
