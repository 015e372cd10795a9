import { execFile } from "node:child_process";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../../support/free-port.ts";
import { Installation } from "../../support/installation.ts";
import { blocksOf } from "../../support/markdown.ts";
import { TemporaryFolder } from "../../support/temporary-folder.ts";
import { ProcessGroup } from "../process-group.ts";

/** The packages beside which the hub is tried, as an application would install them. */
const NEIGHBOURS: readonly string[] = [
  "@fastify/websocket@11.3.7",
  "@hono/node-server@1.19.19",
  "@hono/node-ws@1.3.1",
  "express@5.3.0",
  "express-ws@5.0.2",
  "fastify@5.12.8",
  "hono@4.13.19",
  "socket.io@4.8.4",
  "socket.io-client@4.8.4",
  "vite@8.4.0",
  "ws@8.23.0",
];

/** The port that the recipes listen on. */
const PORT = /\b8080\b/g;

/** A recipe of docs/TRANSPORTS.md that runs in a process of its own. */
export interface Running {
  readonly port: number;
  /** What it has printed. */
  readonly output: () => string;
}

/** The folder of an application that has roomcast and all its neighbours. */
export class Neighbourhood {
  readonly #installation: Installation;
  readonly #programs = new Set<ProcessGroup>();

  static async build(): Promise<Neighbourhood> {
    const installation = await Installation.build(["nanoid"]);
    const folder = new TemporaryFolder("roomcast-neighbours-");
    writeFileSync(join(folder.path, "package.json"), '{"private":true}');
    await promisify(execFile)("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", ...NEIGHBOURS], {
      cwd: folder.path,
    });
    // All packages in one folder, so that roomcast and its neighbours share one copy of ws, as they mostly do.
    const modules = join(installation.folder, "node_modules");
    for (const name of ["nanoid", "roomcast"]) {
      rmSync(join(folder.path, "node_modules", name), { recursive: true, force: true });
      renameSync(join(modules, name), join(folder.path, "node_modules", name));
    }
    rmSync(modules, { recursive: true });
    renameSync(join(folder.path, "node_modules"), modules);
    folder.remove();
    return new Neighbourhood(installation);
  }

  private constructor(installation: Installation) {
    this.#installation = installation;
  }

  path(name: string): string {
    return join(this.#installation.folder, name);
  }

  /** Loads a package of the application's. */
  load(name: string): unknown {
    return createRequire(this.path("package.json"))(name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  /**
   * Runs a recipe until the test ends.
   *
   * @param change - changes the text, for a test of what the recipe is there for.
   */
  async run(recipe: string, change: (text: string) => string = (text) => text): Promise<Running> {
    const port = await freePort();
    const text = change(recipeOf(recipe)).replaceAll(PORT, String(port));
    const name = recipe === "vite" ? "vite.config.js" : `${recipe}.js`;
    this.write(name, text);
    const args = recipe === "vite" ? ["node_modules/vite/bin/vite.js", "--host", "127.0.0.1", "--strictPort"] : [name];
    const program = new ProcessGroup(process.execPath, args, this.#installation.folder, { NODE_ENV: "development" });
    this.#programs.add(program);
    await program.listening(port);
    return { port, output: () => program.output };
  }

  /** Whether all recipes that were started are still running. */
  get isAlive(): boolean {
    return [...this.#programs].every((program) => program.isAlive);
  }

  /** Ends the recipes, and all processes that they have started. */
  async stop(): Promise<void> {
    for (const program of this.#programs) await program.stop();
    this.#programs.clear();
  }

  remove(): void {
    this.#installation.remove();
  }
}

function recipeOf(name: string): string {
  const found = blocksOf("docs/TRANSPORTS.md").find(({ info }) => info[0] === "js" && info[1] === name);
  if (found === undefined) throw new Error(`docs/TRANSPORTS.md has no recipe "${name}".`);
  return found.text;
}

/** The names of all recipes. */
export function recipes(): readonly string[] {
  return blocksOf("docs/TRANSPORTS.md").flatMap(({ info }) => (info[0] === "js" ? [info[1] ?? ""] : []));
}
