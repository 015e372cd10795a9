import { execFile } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { TemporaryFolder } from "./temporary-folder.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const TSC = join(PROJECT, "node_modules/typescript/bin/tsc");

/** The time after which a program is killed and thereby fails, in milliseconds. None of them needs as much. */
const PATIENCE = 20_000;

/** The exit code and the output of a program that ended by itself. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The folder of an application in which roomcast is installed as users have it: built, a real package, and beside it
 * only the packages that are named. The folder is removed at the end of this process, if not before.
 */
export class Installation {
  readonly #folder = new TemporaryFolder("roomcast-app-");

  /** Builds the package, and the examples into `examples`. */
  static async build(packages: readonly string[]): Promise<Installation> {
    const made = new Installation();
    writeFileSync(join(made.folder, "package.json"), '{"type":"module"}');
    const own = made.packageFolder("roomcast");
    mkdirSync(own, { recursive: true });
    cpSync(join(PROJECT, "package.json"), join(own, "package.json"));
    // The types are checked elsewhere.
    const emit = [
      "--noCheck",
      "--declaration",
      "false",
      "--declarationMap",
      "false",
      "--isolatedDeclarations",
      "false",
    ];
    await Promise.all([
      compile("-p", join(PROJECT, "tsconfig.build.json"), "--outDir", join(own, "dist"), ...emit),
      compile("-p", join(PROJECT, "tsconfig.run.json"), "--outDir", made.folder, "--rootDir", PROJECT, ...emit),
    ]);
    made.#link(packages);
    return made;
  }

  private constructor() {}

  get folder(): string {
    return this.#folder.path;
  }

  /** The same build beside other packages. */
  copy(packages: readonly string[]): Installation {
    const copied = new Installation();
    cpSync(join(this.folder, "package.json"), join(copied.folder, "package.json"));
    cpSync(this.packageFolder("roomcast"), copied.packageFolder("roomcast"), { recursive: true });
    copied.#link(packages);
    return copied;
  }

  packageFolder(name: string): string {
    return join(this.folder, "node_modules", name);
  }

  /** Runs a module to its end. */
  run(source: string, ...args: readonly string[]): Promise<Finished> {
    return this.node("--input-type=module", "--eval", source, "--", ...args);
  }

  /** Runs Node.js in the folder to its end. */
  async node(...args: readonly string[]): Promise<Finished> {
    return new Promise((resolve, reject) => {
      execFile(process.execPath, args, { cwd: this.folder, timeout: PATIENCE }, (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (typeof code === "number") resolve({ code, stdout, stderr });
        else reject(new Error(`Ended by a signal: ${error?.signal ?? ""} ${stderr}`, { cause: error }));
      });
    });
  }

  remove(): void {
    this.#folder.remove();
  }

  #link(packages: readonly string[]): void {
    for (const name of packages) {
      const folder = this.packageFolder(name);
      // The folder of the package's scope.
      mkdirSync(dirname(folder), { recursive: true });
      symlinkSync(join(PROJECT, "node_modules", name), folder);
    }
  }
}

async function compile(...args: readonly string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [TSC, ...args], { cwd: PROJECT });
}
