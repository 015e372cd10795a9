import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TransportName } from "roomcast";
import type { Installation } from "../../support/installation.ts";

/** The server of an example, in a process of its own, on the installed package: as those run it who try it. */
export class Example {
  readonly #process: ChildProcess;
  readonly url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#process = child;
    this.url = url;
  }

  /** Starts `examples/<name>/server.js`. */
  static async start(installation: Installation, name: string, transport: TransportName, port = 0): Promise<Example> {
    const args = [`examples/${name}/server.js`, "--transport", transport, "--port", String(port)];
    const child = spawn(process.execPath, args, { cwd: installation.folder, stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    const [url] = /http:\S+/.exec(line) ?? [line];
    return new Example(child, url);
  }

  /** Ends the process, in peace. */
  async stop(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await exited;
  }
}
