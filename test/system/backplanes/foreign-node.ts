import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { TestContext } from "vitest";
import { CERT_FILE } from "../../support/certificate.ts";

const PROGRAM = fileURLToPath(new URL("foreign-node.mjs", import.meta.url));

/** What a node connects to: an engine, and how. */
export type ForeignKind =
  | "nats"
  | "nats over TLS"
  | "nats, TLS first"
  | "redis"
  | "redis cluster"
  | "redis over TLS"
  | "redis sentinel";

type Report = { readonly port: number } | { readonly error: unknown } | { readonly synced: true };

/** A node in a process of its own; whoever connects to it is in the room "x". */
export class ForeignNode {
  readonly port: number;
  /** The codes of what the hub's `error` event told. */
  readonly errors: unknown[];
  readonly #child: ChildProcess;

  /** Starts a node on an engine, and kills it when the test is over. */
  static async start(t: TestContext, kind: ForeignKind, port: number, name: string = kind): Promise<ForeignNode> {
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: CERT_FILE };
    const child = fork(PROGRAM, [name, kind, `${port}`], { env });
    const errors: unknown[] = [];
    const listening = new Promise<number>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`The node has ended (${String(code)}).`)));
      child.on("message", (report: Report) => {
        if ("port" in report) resolve(report.port);
        if ("error" in report) errors.push(report.error);
      });
    });
    t.onTestFinished(() => void child.kill("SIGKILL"));
    return new ForeignNode(child, errors, await listening);
  }

  private constructor(child: ChildProcess, errors: unknown[], port: number) {
    this.#child = child;
    this.errors = errors;
    this.port = port;
  }

  /** Waits until the node hears everything that it wants to hear. */
  async synced(): Promise<void> {
    const synced = new Promise<void>((resolve, reject) => {
      this.#child.once("exit", (code) => reject(new Error(`The node has ended (${String(code)}).`)));
      this.#child.on("message", (report: Report) => {
        if ("synced" in report) resolve();
      });
    });
    this.#child.send("sync");
    await synced;
  }

  /** Closes the hub. Resolves with the code and the signal with which the process has ended. */
  async close(): Promise<unknown[]> {
    const exited = once(this.#child, "exit");
    this.#child.send("close");
    return exited;
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
