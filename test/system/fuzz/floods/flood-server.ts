import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TransportName } from "roomcast";
import { within } from "../patience.ts";
import type { Figures, Flooded, FlooderCommand, HubName, ServerCommand, ServerReport } from "./programs/messages.ts";

/** The process of the server that is flooded. */
export class FloodServer {
  ports: Readonly<Record<HubName, number>> = { usual: 0, strict: 0, compressing: 0, hesitant: 0, narrow: 0 };
  /** What must not have happened there. */
  readonly complaints: string[] = [];
  readonly #child: ChildProcess;
  readonly #failed: Promise<never>;
  #isEnding = false;

  /** @param folder - an installation in which the programs are compiled. */
  static async start(folder: string, transport: TransportName): Promise<FloodServer> {
    const server = new FloodServer(folder, transport);
    server.ports = (await server.#next("ports")).ports;
    return server;
  }

  private constructor(folder: string, transport: TransportName) {
    const options = { execArgv: ["--expose-gc"], stdio: ["ignore", "ignore", "pipe", "ipc"] as "pipe"[] };
    const child = fork(join(folder, "fuzz/server.js"), [transport], options);
    this.#child = child;
    let errors = "";
    child.stderr?.on("data", (chunk) => {
      errors += String(chunk);
    });
    child.on("message", (report: ServerReport) => {
      if (report.told === "fault") this.complaints.push(report.fault);
    });
    this.#failed = once(child, "exit").then(([code, signal]) => {
      if (!this.#isEnding) this.complaints.push(`The server ended: ${code ?? signal} ${errors.slice(-2_000)}`);
      throw new Error(this.complaints.join("\n"));
    });
    this.#failed.catch(() => {});
  }

  get isAlive(): boolean {
    return this.#child.connected;
  }

  async figures(): Promise<Figures> {
    return (await this.#ask("figures", "figures")).figures;
  }

  /** Begins to measure what is allocated. */
  async measure(): Promise<void> {
    await this.#ask("measure", "measured");
  }

  /** Resolves with the number of bytes that have been allocated since, also of what has been collected. */
  async allocated(): Promise<number> {
    return (await this.#ask("measured", "measured")).allocated;
  }

  /** Ends all handlers that are at work. */
  release(): void {
    if (this.isAlive) this.#child.send("release" satisfies ServerCommand);
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    this.#child.kill();
    await this.#failed.catch(() => {});
  }

  #ask<T extends ServerReport["told"]>(command: ServerCommand, told: T): Promise<Extract<ServerReport, { told: T }>> {
    const report = this.#next(told);
    if (this.isAlive) this.#child.send(command);
    return report;
  }

  async #next<T extends ServerReport["told"]>(told: T): Promise<Extract<ServerReport, { told: T }>> {
    let listener: ((report: ServerReport) => void) | undefined;
    const report = new Promise<Extract<ServerReport, { told: T }>>((resolve) => {
      listener = (message) => {
        if (message.told === told) resolve(message as Extract<ServerReport, { told: T }>);
      };
      this.#child.on("message", listener);
    });
    try {
      return await within(Promise.race([report, this.#failed]), `The server's "${told}"`);
    } finally {
      if (listener !== undefined) this.#child.off("message", listener);
    }
  }
}

/** The process of those who flood. */
export class Flooder {
  readonly #child: ChildProcess;

  static async start(folder: string): Promise<Flooder> {
    const flooder = new Flooder(
      fork(join(folder, "fuzz/flooder.js"), [], { stdio: ["ignore", "ignore", "inherit", "ipc"] }),
    );
    await once(flooder.#child, "message");
    return flooder;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when all has been sent. The last connections stay. */
  async flood(command: Exclude<FlooderCommand, "leave">): Promise<Flooded> {
    return (await this.#ask(command)) as Flooded;
  }

  /** Ends all connections. */
  async leave(): Promise<void> {
    await this.#ask("leave");
  }

  end(): void {
    this.#child.kill();
  }

  async #ask(command: FlooderCommand): Promise<unknown> {
    const answer = once(this.#child, "message");
    this.#child.send(command);
    return (await within(answer, `The flood ${JSON.stringify(command)}`))[0];
  }
}
