import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { atExit } from "../support/at-exit.ts";

/** A program that a test has started, with all processes that it starts in turn. */
export class ProcessGroup {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #printed = "";

  constructor(command: string, args: readonly string[], folder: string, variables: Readonly<Record<string, string>>) {
    // A group of its own ends as one.
    this.#child = spawn(command, args, { detached: true, cwd: folder, env: { ...process.env, ...variables } });
    this.#closed = new Promise((resolve) => void this.#child.once("close", resolve));
    this.#child.once(
      "exit",
      atExit(() => this.signal("SIGKILL")),
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        this.#printed += chunk;
      });
    }
  }

  /** What it has printed so far. */
  get output(): string {
    return this.#printed;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when the program has ended and has nothing more to print. */
  async ended(): Promise<void> {
    await this.#closed;
  }

  /**
   * Resolves when something listens on a port of localhost, on IPv4 or IPv6.
   *
   * @throws {Error} as a rejection, with what the program has printed, if it ends before, or does not listen for minutes.
   */
  async listening(port: number): Promise<void> {
    for (let attempt = 0; attempt < 1_800; attempt++) {
      if (!this.isAlive) {
        await this.ended();
        throw new Error(`The program has ended: ${this.output}`);
      }
      const probe = createConnection({ port, host: "localhost" });
      const isOpen = await Promise.race([
        once(probe, "connect").then(() => true),
        once(probe, "close").then(() => false),
      ]).catch(() => false);
      probe.destroy();
      if (isOpen) return;
      await delay(100);
    }
    throw new Error(`The program does not listen: ${this.output}`);
  }

  /**
   * Sends a signal to the program and all processes that it has started; 0 for none.
   *
   * @returns whether there was any.
   */
  signal(name: NodeJS.Signals | 0): boolean {
    if (this.#child.pid === undefined) return false;
    try {
      return process.kill(-this.#child.pid, name);
    } catch {
      return false;
    }
  }

  /** Ends the program and all processes that it has started. Some programs do not start again while the last one is listed. */
  async stop(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended();
    // oxlint-disable-next-line no-await-in-loop -- the system takes them off its list when it likes
    for (let attempt = 0; attempt < 300 && this.signal(0); attempt++) await delay(100);
  }
}
