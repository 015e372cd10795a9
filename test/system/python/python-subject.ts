import { execFileSync, spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { Inbox } from "../../../src/testing/inbox.ts";
import type { SubjectSettings } from "../../support/vectors/play.ts";
import { Subject, type StateChange } from "../../support/vectors/subject.ts";
import type { CallStep, SeenStep } from "../../support/vectors/vectors.ts";

/** Debian's own Python: the one that has Debian's packages. */
const PYTHON = "/usr/bin/python3";
const PROGRAM = fileURLToPath(new URL("application.py", import.meta.url));

/** A line that the application says. */
type Line =
  | { readonly state: StateChange }
  | { readonly settled: true }
  | Extract<SeenStep, { readonly hears: object }>
  | Extract<SeenStep, { readonly outcome: string }>;

/** @throws if Python, or the package that the example needs, is not installed. */
export function checkPython(): void {
  try {
    execFileSync(PYTHON, ["-c", "import websockets"], { stdio: "pipe" });
  } catch (cause) {
    throw new Error(`${PYTHON} has no package "websockets". Run "npm run setup", which installs python3-websockets.`, {
      cause,
    });
  }
}

/** An application of `examples/python/roomcast.py`, in a process of its own. */
export class PythonSubject extends Subject {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #outcomes = new Map<string, Inbox<SeenStep>>();
  readonly #settled = new Inbox<true>();
  readonly #ended: Promise<unknown>;

  constructor({ url, auth, stableAfter }: Omit<SubjectSettings, "subprotocol">) {
    super();
    this.#process = spawn(PYTHON, ["-B", PROGRAM], { stdio: ["pipe", "pipe", "inherit"] });
    this.#ended = once(this.#process, "close");
    createInterface(this.#process.stdout).on("line", (line) => this.#take(JSON.parse(line) as Line));
    this.#write({ url, auth, stableAfter });
  }

  override perform(step: Exclude<CallStep, { readonly call: "connect" }>): void {
    this.#write(step);
  }

  /** Ends the program: its client closes. */
  override async close(): Promise<void> {
    this.#process.stdin.end();
    await this.#ended;
  }

  protected override outcome(name: string): Promise<SeenStep | undefined> {
    return this.#outcomeOf(name).next();
  }

  protected override async settled(): Promise<void> {
    this.#write({ call: "settle" });
    await this.#settled.next();
  }

  #write(line: object): void {
    this.#process.stdin.write(`${JSON.stringify(line)}\n`);
  }

  #outcomeOf(name: string): Inbox<SeenStep> {
    const inbox = this.#outcomes.get(name) ?? new Inbox<SeenStep>();
    this.#outcomes.set(name, inbox);
    return inbox;
  }

  #take(line: Line): void {
    if ("state" in line) this.states.push(line.state);
    else if ("settled" in line) this.#settled.push(true);
    else if ("outcome" in line) this.#outcomeOf(line.outcome).push(line);
    else this.heard.push(line);
  }
}
