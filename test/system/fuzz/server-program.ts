import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TransportName } from "roomcast";
import { within } from "./patience.ts";
import type { Command, Figures, HubName, Report } from "./server/messages.ts";

type Told = Report["told"];

/** The server's process, as seen from outside. */
export class ServerProgram {
  /** Rejects when the process ends before it is told to, or tells of a fault. */
  readonly failed: Promise<never>;
  readonly #child: ChildProcess;
  readonly #complaints: string[] = [];
  #ending = false;

  /** @param folder - an installation in which the server is compiled. */
  static async start(folder: string, transport: TransportName): Promise<ServerProgram> {
    const child = fork(join(folder, "fuzz/process.js"), [transport], {
      execArgv: ["--expose-gc"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const program = new ServerProgram(child);
    const { ports } = await program.#next("ports");
    Object.assign(program.ports, ports);
    return program;
  }

  readonly ports: Record<HubName, number> = { usual: 0, lenient: 0, compressing: 0 };

  private constructor(child: ChildProcess) {
    this.#child = child;
    let stderr = "";
    child.stderr?.on("data", (chunk) => {
      stderr += String(chunk);
    });
    child.on("message", (report: Report) => {
      if (report.told === "fault") this.#complaints.push(report.fault);
    });
    this.failed = once(child, "exit").then(([code, signal]) => {
      if (!this.#ending) this.#complaints.push(`The server ended: ${code ?? signal} ${stderr}`);
      throw new Error(this.#complaints.join("\n"));
    });
    this.failed.catch(() => {});
  }

  /** What must not have happened in the server's process. */
  get complaints(): readonly string[] {
    return this.#complaints;
  }

  async figures(): Promise<Figures> {
    this.#send({ do: "figures" });
    return (await this.#next("figures")).figures;
  }

  /** Ends the stream of ticks that the well-behaved clients follow. Resolves with the number of the last tick of each hub. */
  async pause(): Promise<Readonly<Record<HubName, number>>> {
    this.#send({ do: "pause" });
    return (await this.#next("paused")).ticks;
  }

  async end(): Promise<void> {
    this.#ending = true;
    if (this.#child.connected) this.#send({ do: "end" });
    await this.failed.catch(() => {});
  }

  #send(command: Command): void {
    this.#child.send(command);
  }

  async #next<T extends Told>(told: T): Promise<Extract<Report, { told: T }>> {
    const report = new Promise<Extract<Report, { told: T }>>((resolve) => {
      const listener = (message: Report): void => {
        if (message.told !== told) return;
        this.#child.off("message", listener);
        resolve(message as Extract<Report, { told: T }>);
      };
      this.#child.on("message", listener);
    });
    return within(Promise.race([report, this.failed]), `The server's "${told}"`);
  }
}
