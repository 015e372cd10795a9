import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import type { Machine } from "../results.ts";

const LIBRARIES = ["roomcast", "ws", "uWebSockets.js", "socket.io", "crossws", "autocannon"];

/** What a package says of itself. */
interface Description {
  readonly name: string;
  readonly version: string;
}

/** Where this runs, so that figures are compared with their like only. */
export function machineOf(pinning: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory: totalmem(),
    system: `${type()} ${release()}, ${process.arch}`,
    node: process.version,
    packages: Object.fromEntries(LIBRARIES.flatMap((library) => stampsOf(library))),
    pinning,
  };
}

/** None where it is not installed. Not every package lets its own description be imported. */
function stampsOf(library: string): readonly (readonly [name: string, version: string])[] {
  const folders = createRequire(import.meta.url).resolve.paths(library) ?? [];
  const installed = folders.flatMap((folder) => descriptionsIn(join(folder, library, "package.json")));
  const own = descriptionsIn(join(import.meta.dirname, "../../package.json")).filter(({ name }) => name === library);
  return [...installed, ...own].slice(0, 1).map((description) => stampOf(library, description));
}

/** A package can be installed under another name than its own. */
export function stampOf(library: string, { name, version }: Description): readonly [name: string, version: string] {
  return name === library ? [library, version] : [name, `${version} (${library})`];
}

function descriptionsIn(path: string): readonly Description[] {
  try {
    return [JSON.parse(readFileSync(path, "utf8")) as Description];
  } catch {
    return [];
  }
}
