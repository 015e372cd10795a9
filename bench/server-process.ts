import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { SIZE, type Peer } from "./peers.ts";
import { Receivers } from "./receivers.ts";
import type { Command, Report, Run } from "./server.ts";

/** A two-byte header in front of each message. */
const FRAME = SIZE + 2;

/** A peer in a process of its own, with its clients in this one. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #receivers = new Receivers();
  #members = 0;

  private constructor(peer: Peer) {
    this.#child = fork(fileURLToPath(new URL("server.js", import.meta.url)), [peer], { execArgv: ["--expose-gc"] });
  }

  /** Starts the peer, does something with it and stops it, whatever happens. */
  static async use<R>(peer: Peer, action: (server: ServerProcess, port: number) => Promise<R>): Promise<R> {
    const server = new ServerProcess(peer);
    try {
      const { port } = await server.#report<{ port: number }>();
      return await action(server, port);
    } finally {
      server.#receivers.close();
      server.#child.kill();
      await once(server.#child, "exit");
    }
  }

  async connect(port: number, count: number): Promise<void> {
    await this.#receivers.open(port, count);
    this.#members = count;
  }

  /** The CPU time of the server for one delivery, in microseconds, user and system together. */
  async run(run: Run): Promise<number> {
    const messages = this.#members * run.turns * run.perTurn;
    const finished = this.#report<{ user: number; system: number }>();
    let arrived = this.#receivers.expect(messages * FRAME);
    this.#send(run);
    for (let window = 0; window < run.windows; window++) {
      await arrived;
      arrived = this.#receivers.expect(messages * FRAME);
      this.#send("arrived");
    }
    const { user, system } = await finished;
    return (user + system) / (run.windows * messages);
  }

  /** What the server's process holds, in bytes. */
  async memory(): Promise<{ resident: number; heap: number }> {
    const told = this.#report<{ resident: number; heap: number }>();
    this.#send("memory");
    return told;
  }

  #send(command: Command): void {
    this.#child.send(command);
  }

  async #report<R extends Report>(): Promise<R> {
    const [message] = (await once(this.#child, "message")) as [R];
    return message;
  }
}
