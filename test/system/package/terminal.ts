import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { delimiter, dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { atExit } from "../../support/at-exit.ts";

/** The programs are those of the Node.js that runs the tests, and npm asks for nothing that the tests do not need. */
const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`,
  npm_config_audit: "false",
  npm_config_fund: "false",
};

/** How long npm, or anything else, may take on a busy machine, in milliseconds. */
const PATIENCE = 120_000;

/** A command that somebody has typed, and what it has printed. */
export class Terminal {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #forgotten: () => void;
  readonly #command: string;
  #output = "";
  /** How many lines {@link shows} has gone past. */
  #seen = 0;

  constructor(command: string, folder: string) {
    const [program = "", ...args] = command.split(" ");
    this.#command = command;
    this.#child = spawn(program, args, { cwd: folder, env: ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
      });
    }
    this.#ended = once(this.#child, "close");
    this.#forgotten = atExit(() => this.#child.kill("SIGKILL"));
  }

  /** The lines that were printed, without empty ones. */
  get lines(): readonly string[] {
    return this.#output.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trimEnd()]));
  }

  /** Resolves with the exit code, once the command has ended. */
  async end(): Promise<number | null> {
    await this.#until("it has ended", () => this.#hasEnded);
    await this.#ended;
    this.#forgotten();
    return this.#child.exitCode;
  }

  /** Presses Ctrl+C, and resolves when the command has ended. */
  async interrupt(): Promise<void> {
    this.#child.kill("SIGINT");
    await this.end();
  }

  /** Waits until the lines are printed, in this order, behind those of the last call; other lines may stand between. */
  async shows(expected: readonly string[]): Promise<void> {
    for (const line of expected) {
      const pattern = patternOf(line);
      const index = (): number => this.lines.findIndex((printed, at) => at >= this.#seen && pattern.test(printed));
      await this.#until(`it has printed "${line}"`, () => index() >= 0);
      this.#seen = index() + 1;
    }
  }

  /** Checks that the lines are all that a command has printed, in whatever order. */
  hasShown(expected: readonly string[]): void {
    const left = [...this.lines];
    const missing = expected.filter((line) => {
      const index = left.findIndex((printed) => patternOf(line).test(printed));
      if (index >= 0) left.splice(index, 1);
      return index < 0;
    });
    if (missing.length + left.length === 0) return;
    throw this.#failure(`has not printed ${JSON.stringify(missing)}, but besides ${JSON.stringify(left)}`);
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    while (!isSo()) {
      if (performance.now() > deadline) throw this.#failure(`was not waited for any longer until ${what}`);
      await delay(20);
    }
  }

  #failure(what: string): Error {
    return new Error(`\`${this.#command}\` ${what}. Its output: ${this.#output}`);
  }
}

/** A line of a document, in which … stands for anything. */
function patternOf(line: string): RegExp {
  const parts = line.trimEnd().split("…");
  return new RegExp(`^${parts.map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)).join(".*")}$`);
}
