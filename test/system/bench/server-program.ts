import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { ServerCommand, ServerOptions, ServerReport } from "../../../bench/server/messages.ts";

type Told = ServerReport["told"];

/** The server's process of the benchmark, as the coordinator has it. */
export class ServerProgram {
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #reports: ServerReport[] = [];
  #reported: () => void = () => {};
  #ended = false;

  /** @param folder - an installation in which the benchmark is compiled. */
  constructor(folder: string, options: ServerOptions) {
    this.#child = fork(join(folder, "bench/server/process.js"), [JSON.stringify(options)], {
      execArgv: ["--expose-gc"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.on("message", (report: ServerReport) => {
      this.#reports.push(report);
      this.#reported();
    });
    this.exited = this.#exit();
  }

  /** The next report, which has to be of this kind. */
  async next<T extends Told>(told: T): Promise<Extract<ServerReport, { told: T }>> {
    while (this.#reports.length === 0) {
      if (this.#ended) throw new Error(`The process ended instead of telling "${told}".`);
      await new Promise<void>((resolve) => {
        this.#reported = resolve;
      });
    }
    const report = this.#reports.shift();
    if (report?.told !== told) throw new Error(`Told ${JSON.stringify(report)} instead of "${told}".`);
    return report as Extract<ServerReport, { told: T }>;
  }

  send(command: ServerCommand): void {
    this.#child.send(command);
  }

  /** What it has complained of, once it has ended. */
  async complaint(): Promise<string> {
    let text = "";
    for await (const chunk of this.#child.stderr ?? []) text += String(chunk);
    return text;
  }

  /** Lets go of it: it has to end by itself. */
  async release(): Promise<number | null> {
    if (this.#child.connected) this.#child.disconnect();
    return this.exited;
  }

  async #exit(): Promise<number | null> {
    const [code] = (await once(this.#child, "exit")) as [number | null];
    this.#ended = true;
    this.#reported();
    return code;
  }
}
