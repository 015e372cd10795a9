import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Block } from "./markdown.ts";

const ROOT = new URL("../..", import.meta.url);

/** Inside the project, so that packages are found, and where neither linter nor formatter looks. */
const FOLDER = new URL(`node_modules/.cache/roomcast-docs/${process.pid}/`, ROOT);

/** The values that a snippet names at its top level, as functions, because a snippet may throw before all exist. */
interface Held {
  held?: readonly (() => unknown)[];
}

/** Forgets every file that this process has written. */
export function removeSnippets(): void {
  rmSync(FOLDER, { recursive: true, force: true });
}

/**
 * Compiles snippets with the project's own flags, all in one run. Only what is about exports and names that are shown
 * but not used does not apply to them.
 *
 * @returns what the compiler says, with the lines of the documents; empty if it has no complaint.
 */
export async function compile(blocks: readonly Block[]): Promise<string> {
  mkdirSync(FOLDER, { recursive: true });
  const files = blocks.map((block) => {
    // As far down as in the document: then the compiler's lines are those of the document.
    writeFileSync(new URL(nameOf(block), FOLDER), "\n".repeat(block.line - 1) + block.text);
    return nameOf(block);
  });
  const compilerOptions = {
    declaration: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    jsx: "react-jsx",
  };
  const project = { extends: fileURLToPath(new URL("tsconfig.json", ROOT)), compilerOptions, files, include: [] };
  writeFileSync(new URL("tsconfig.json", FOLDER), JSON.stringify(project));
  const compiler = fileURLToPath(new URL("node_modules/typescript/bin/tsc", ROOT));
  const config = fileURLToPath(new URL("tsconfig.json", FOLDER));
  return promisify(execFile)(process.execPath, [compiler, "-p", config, "--pretty", "false"]).then(
    () => "",
    (error: { readonly stdout: string }) => error.stdout,
  );
}

/**
 * Runs a snippet as a module. The ports that it listens on are replaced by free ones.
 *
 * @returns what the snippet exports.
 */
export async function run(block: Block): Promise<Record<string, unknown>> {
  mkdirSync(FOLDER, { recursive: true });
  const file = new URL(`run-${nameOf(block)}`, FOLDER);
  const names = Array.from(block.text.matchAll(/^(?:export )?const (\w+)\b/gm), ([, name = ""]) => `() => ${name}`);
  const text = block.text.replaceAll(/(\blisten\(|\bport: )\d+/g, "$10");
  writeFileSync(file, `globalThis.held = [${names.join(", ")}];\n${text}`);
  return (await import(/* @vite-ignore */ fileURLToPath(file))) as Record<string, unknown>;
}

/** Closes what the snippet that ran last holds in its constants, if it can be closed, the latest first. */
export async function closeAll(): Promise<void> {
  const held = globalThis as Held;
  for (const get of held.held?.toReversed() ?? []) {
    const value = valueOf(get) as { readonly close?: () => unknown } | undefined;
    if (typeof value?.close === "function") await value.close();
  }
  delete held.held;
}

/** A constant that the snippet did not come to throws. */
function valueOf(get: () => unknown): unknown {
  try {
    return get();
  } catch {
    return undefined;
  }
}

function nameOf({ info, path, line }: Block): string {
  return `${path.replaceAll(/\W/g, "-")}-${line}.${info[0]}`;
}
