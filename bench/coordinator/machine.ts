import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import type { Machine } from "../report/results.ts";

const LIBRARIES = ["roomcast", "ws", "uWebSockets.js", "socket.io", "crossws", "autocannon"];

/** Where this runs, so that figures are compared with their like only. */
export function machineOf(pinning: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory: totalmem(),
    system: `${type()} ${release()}, ${process.arch}`,
    node: process.version,
    packages: Object.fromEntries(
      LIBRARIES.map((library) => [library, versionOf(library)]).filter(([, version]) => version !== undefined),
    ),
    pinning,
  };
}

/** `undefined` where it is not installed. Not every package lets its own description be imported. */
function versionOf(library: string): string | undefined {
  for (const folder of createRequire(import.meta.url).resolve.paths(library) ?? []) {
    const version = versionIn(join(folder, library, "package.json"));
    if (version !== undefined) return version;
  }
  return versionIn(join(import.meta.dirname, "../../package.json"), library);
}

function versionIn(path: string, name?: string): string | undefined {
  try {
    const description = JSON.parse(readFileSync(path, "utf8")) as { name?: string; version?: string };
    return name === undefined || description.name === name ? description.version : undefined;
  } catch {
    return undefined;
  }
}
