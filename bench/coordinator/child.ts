import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { commandOn, type Cores } from "./pinning.ts";

/** So long a child may work on something, beyond what it takes anyway. */
const PATIENCE_SECONDS = 30;

/** How much of what a child has printed goes into the message of its failure. */
const LAST_WORDS = 2000;

interface Told {
  readonly told: string;
}

interface Expectation<Report extends Told> {
  readonly kinds: readonly string[];
  readonly resolve: (report: Report) => void;
  readonly reject: (error: Error) => void;
}

/** A process of the benchmark's own, which is given commands and tells reports. */
export class Child<Command extends object, Report extends Told> {
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #expectations = new Set<Expectation<Report>>();
  /** Is called with every report, expected or not. */
  onreport: (report: Report) => void = () => {};
  /** Is called once, when nothing is to be expected of it any more. */
  onfailure: (error: Error) => void = () => {};
  #failure: Error | undefined;
  #lastWords = "";

  /**
   * @param name - What it is called in messages: `server`.
   * @param flags - Options of Node.js.
   */
  constructor(name: string, program: URL, args: readonly string[], cores: Cores | undefined, flags: readonly string[]) {
    this.#name = name;
    this.#process = fork(fileURLToPath(program), args, {
      ...commandOn(cores, [process.execPath, "--expose-gc", ...flags]),
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#ended = new Promise((resolve) => {
      this.#process.once("exit", (code, signal) => {
        this.fail(`ended with ${signal ?? `status ${code}`}`);
        resolve();
      });
      this.#process.on("error", ({ message }) => {
        this.fail(message);
        // One that could not be started has no exit.
        if (this.#process.pid === undefined) resolve();
      });
    });
    this.#process.on("message", (report: Report) => this.#receive(report));
    // What the coordinator itself prints is the result and nothing else.
    for (const output of [this.#process.stdout, this.#process.stderr]) {
      output?.setEncoding("utf8").on("data", (text: string) => {
        this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS);
      });
    }
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  send(command: Command): void {
    if (!this.#process.connected) return;
    this.#process.send(command, (error) => {
      if (error !== null) this.fail(error.message);
    });
  }

  /**
   * The next report of one of these kinds. Ask before it can come.
   *
   * @param seconds - How long it may work on that.
   * @throws Error - It has ended, failed or told nothing in time.
   */
  async next<Kind extends Report["told"]>(
    kinds: readonly Kind[],
    seconds = 0,
  ): Promise<Extract<Report, { readonly told: Kind }>> {
    if (this.#failure !== undefined) throw this.#failure;
    const silence = setTimeout(
      () => this.fail(`was asked for "${kinds.join('" or "')}" and was silent`),
      (seconds + PATIENCE_SECONDS) * 1000,
    );
    try {
      const report = await new Promise<Report>((resolve, reject) => this.#expectations.add({ kinds, resolve, reject }));
      return report as Extract<Report, { readonly told: Kind }>;
    } finally {
      clearTimeout(silence);
    }
  }

  /** Nothing that is expected of it will come, for a reason of its own. */
  fail(reason: string): void {
    const quotation = this.#lastWords.trim();
    this.abandon(new Error(`The ${this.#name} ${reason}${quotation && `:\n${quotation}`}`));
  }

  /** Nothing that is expected of it will come, because something else has failed. */
  abandon(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const expectation of this.#expectations) expectation.reject(error);
    this.#expectations.clear();
    this.onfailure(error);
  }

  /** Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  #receive(report: Report): void {
    this.onreport(report);
    for (const expectation of this.#expectations) {
      if (!expectation.kinds.includes(report.told)) continue;
      this.#expectations.delete(expectation);
      expectation.resolve(report);
    }
  }
}
