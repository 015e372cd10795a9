import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What a message weighs, and what it really holds: the most of decoding, cloning and copying it, in bytes. */
export interface Weighing {
  readonly weight: number;
  readonly held: number;
}

/** What may be held besides, by the engine itself: compiled code, hidden classes of the first objects, tables of names. */
export const TOLERANCE: number = 64 * 1024;

/** Measures messages in a process of its own, whose heap is small and can be collected. */
export class Scales {
  readonly #process: ChildProcess;
  readonly #ended: Promise<undefined>;

  constructor() {
    const program = fileURLToPath(new URL("measure.mjs", import.meta.url));
    this.#process = fork(program, { execArgv: ["--expose-gc"], serialization: "advanced" });
    this.#ended = once(this.#process, "exit").then(() => undefined);
  }

  /** @throws if the process has ended. */
  async weigh(bytes: Uint8Array, isBinary: boolean, tolerance: number = TOLERANCE): Promise<Weighing> {
    const answer = once(this.#process, "message");
    this.#process.send({ bytes, isBinary, tolerance });
    const [weighing] = ((await Promise.race([answer, this.#ended])) ?? []) as [Weighing?];
    if (weighing === undefined) throw new Error("The process that measures has ended.");
    return weighing;
  }

  close(): void {
    this.#process.disconnect();
  }
}
