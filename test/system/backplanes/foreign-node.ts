import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A node in a process of its own; whoever connects to it is in the room "x". */
export class ForeignNode {
  readonly port: number;
  readonly #child: ChildProcess;

  static async start(name: string, kind: "nats" | "redis", address: string): Promise<ForeignNode> {
    const child = fork(fileURLToPath(new URL("foreign-node.mjs", import.meta.url)), [name, kind, address]);
    const [port] = (await once(child, "message")) as [number];
    return new ForeignNode(child, port);
  }

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    if (this.#child.signalCode !== null || this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}
