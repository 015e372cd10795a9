import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a server may take until it listens, in milliseconds. */
const PATIENCE = 10_000;

const running = new Set<ChildProcess>();

// Whatever becomes of the tests, no server outlives them.
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A server that a test has started. */
export class EngineProcess {
  readonly #child: ChildProcess;

  /**
   * Starts a server and waits until it takes connections on the port.
   *
   * @param variables - what it has in its environment beside the variables of this process.
   * @throws {Error} as a rejection, when it is not installed or does not listen.
   */
  static async start(
    command: string,
    args: readonly string[],
    port: number,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<EngineProcess> {
    const child = spawn(command, args, { stdio: "ignore", env: { ...process.env, ...variables } });
    let failure: Error | undefined;
    child.once("error", (error: NodeJS.ErrnoException) => {
      failure = error.code === "ENOENT" ? new Error(`${command} is not installed: run "npm run setup".`) : error;
    });
    running.add(child);
    child.once("exit", (code, signal) => {
      running.delete(child);
      failure ??= new Error(`${command} has ended (${String(code ?? signal)}).`);
    });
    const end = Date.now() + PATIENCE;
    while (!(await listens(port))) {
      if (failure !== undefined) throw failure;
      if (Date.now() > end) throw new Error(`${command} does not listen on port ${port}.`);
      await sleep(10);
    }
    return new EngineProcess(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Stands still until {@link thaw}; its connections stay. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  /** Ends it at once, frozen or not. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
