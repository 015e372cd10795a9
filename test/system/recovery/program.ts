import { spawn } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { HistoryOptions, HubStatistics, PresenceOptions, TransportName } from "roomcast";
import { createDeferred, type Deferred } from "../../../src/deferred.ts";
import { atExit } from "../../support/at-exit.ts";
import { TemporaryFolder } from "../../support/temporary-folder.ts";

const PROGRAM = fileURLToPath(new URL("program.mjs", import.meta.url));

/** How long a program may take until it is ready, in milliseconds. */
const PATIENCE = 120_000;

/** How a program reaches its engine: see `program.mjs`. */
export interface EngineAddress {
  readonly kind: string;
  readonly [detail: string]: unknown;
}

/** What a program is made of. */
export interface ProgramSettings {
  readonly role: "emitter" | "node" | "primary";
  readonly transport?: TransportName | undefined;
  readonly engine: EngineAddress;
  /** The room of which a node tells who comes and goes. Its clients are the users that their addresses name. */
  readonly follows?: string;
  readonly hub: {
    readonly history?: HistoryOptions;
    readonly presence?: PresenceOptions;
    readonly maxBufferedBytes?: number;
    readonly cluster?: { readonly lease: number };
  };
}

/** An event that a program is to send. */
export interface Order {
  readonly id: number;
  readonly room: string;
  readonly isRecorded: boolean;
  readonly exceptSockets: readonly string[];
  readonly exceptRooms: readonly string[];
  readonly text: string;
}

/** What a node has learnt of a user. */
interface Happening {
  readonly user: string;
  /** Whether it is the one to act on it. */
  readonly mine: boolean;
}

type Report =
  | { readonly name: string; readonly pid: number }
  | { readonly isReady: true }
  | { readonly isDrained: true }
  | { readonly stats: HubStatistics }
  | { readonly users: readonly string[] }
  | ({ readonly presence: "in" | "out" } & Happening)
  | { readonly recorded: number; readonly at: number }
  | { readonly rejected: number; readonly code: string; readonly text: string }
  | { readonly error: string; readonly text: string };

/** Hears what programs tell. */
export interface ProgramListener {
  recorded?(id: number, at: number): void;
  rejected?(id: number, code: string, text: string): void;
  /** Called when a node has learnt that a user has come or gone. */
  present?(program: Program, event: "in" | "out", happening: Happening): void;
  /** Called for what the `error` event of a hub told. */
  error(program: Program, code: string, text: string): void;
  /** Called when a program ends that was not to end. */
  ended(program: Program, errors: string): void;
}

/** A process that the test has started. */
export class Program {
  readonly name: string;
  readonly role: ProgramSettings["role"];
  /** Where the hub of a node listens. */
  readonly socketPath: string;
  readonly ready: Deferred = createDeferred();
  readonly ended: Deferred = createDeferred();
  readonly drained: Deferred = createDeferred();
  state: "starting" | "ready" | "frozen" | "draining" | "ending" | "ended" = "starting";
  #asked: Deferred<readonly string[]> | undefined;
  #pid = 0;
  #line: Socket | undefined;

  constructor(name: string, role: ProgramSettings["role"], socketPath: string) {
    this.name = name;
    this.role = role;
    this.socketPath = socketPath;
    // Whether it matters that it has not started is the business of those who wait.
    this.ready.promise.catch(() => {});
  }

  /** Whether clients may connect to it, and events be sent by it. */
  get isServing(): boolean {
    return this.state === "ready";
  }

  /** Sends events in one turn. */
  send(events: readonly Order[]): void {
    this.tell({ order: "send", events });
  }

  async drain(within: number): Promise<void> {
    this.state = "draining";
    this.tell({ order: "drain", within });
    await Promise.race([this.drained.promise, this.ended.promise]);
  }

  /** Returns the users in the room that the node follows. */
  async users(): Promise<readonly string[]> {
    if (this.#asked === undefined) {
      this.#asked = createDeferred();
      this.tell({ order: "users" });
    }
    // One that has ended knows nobody.
    return Promise.race([this.#asked.promise, this.ended.promise.then((): readonly string[] => [])]);
  }

  answered(users: readonly string[]): void {
    this.#asked?.resolve(users);
    this.#asked = undefined;
  }

  freeze(): void {
    if (this.state === "ended") return;
    this.state = "frozen";
    process.kill(this.#pid, "SIGSTOP");
  }

  thaw(): void {
    if (this.state !== "frozen") return;
    this.state = "ready";
    process.kill(this.#pid, "SIGCONT");
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    if (this.state === "ended") return;
    this.state = "ending";
    if (this.#pid !== 0) process.kill(this.#pid, "SIGKILL");
    await this.ended.promise;
  }

  /** Says that the process will end, because that on which it depends does. */
  expectEnd(): void {
    if (this.state !== "ended") this.state = "ending";
  }

  tell(order: object): void {
    this.#line?.write(`${JSON.stringify(order)}\n`);
  }

  /** Takes the connection over which the process hears orders. */
  connected(line: Socket, pid: number): void {
    this.#line = line;
    this.#pid = pid;
  }
}

/** Starts programs, and speaks with them. */
export class Programs {
  readonly #listener: ProgramListener;
  readonly #folder = new TemporaryFolder("recovery-");
  readonly #server: Server;
  readonly #programs = new Map<string, Program>();
  readonly #notAtExit: () => void;
  #count = 0;

  constructor(listener: ProgramListener) {
    this.#listener = listener;
    this.#server = createServer((line) => this.#accept(line));
    this.#server.listen(this.#control);
    // A process that stands still does not notice that the test has ended.
    this.#notAtExit = atExit(() => {
      for (const program of this.#programs.values()) void program.kill();
    });
  }

  /** The folder of their Unix sockets, which no other programs have. */
  get folder(): string {
    return this.#folder.path;
  }

  /** @param primary - the process whose worker it is; without one it is a process of its own. */
  async start(slot: string, settings: ProgramSettings, primary?: Program): Promise<Program> {
    const name = `${slot} (${++this.#count})`;
    const program = new Program(name, settings.role, join(this.#folder.path, `${this.#count}.sock`));
    this.#programs.set(name, program);
    const { socketPath } = program;
    const text = JSON.stringify({ name, socketPath, control: this.#control, ...settings });
    if (primary === undefined) this.#spawn(program, text);
    else primary.tell({ order: "fork", program: text });
    const timer = setTimeout(() => program.ready.reject(new Error(`${name} does not start.`)), PATIENCE);
    try {
      await program.ready.promise;
    } finally {
      clearTimeout(timer);
    }
    return program;
  }

  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#programs.values(), (program) => program.kill()));
    this.#notAtExit();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
    this.#folder.remove();
  }

  get #control(): string {
    return join(this.#folder.path, "control.sock");
  }

  #spawn(program: Program, text: string): void {
    const env = { ...process.env, RECOVERY_PROGRAM: text };
    const child = spawn(process.execPath, [PROGRAM], { env, stdio: ["ignore", "ignore", "pipe"] });
    let errors = "";
    child.stderr.on("data", (data: Buffer) => {
      errors = `${errors}${data.toString()}`.slice(-4_000);
    });
    child.once("exit", () => {
      program.ready.reject(new Error(`${program.name} has ended: ${errors}`));
      this.#ended(program, errors);
    });
  }

  #accept(line: Socket): void {
    let program: Program | undefined;
    const reports = createInterface({ input: line });
    // The interface tells of the errors of its input, too.
    for (const each of [line, reports]) each.on("error", () => {});
    reports.on("line", (text) => {
      const report = JSON.parse(text) as Report;
      if ("name" in report) {
        program = this.#programs.get(report.name);
        program?.connected(line, report.pid);
      } else if (program !== undefined) {
        this.#take(program, report);
      }
    });
    line.on("close", () => {
      if (program !== undefined) this.#ended(program, "");
    });
  }

  #take(program: Program, report: Exclude<Report, { readonly name: string }>): void {
    if ("isReady" in report) {
      program.state = "ready";
      program.ready.resolve();
    } else if ("isDrained" in report) program.drained.resolve();
    else if ("recorded" in report) this.#listener.recorded?.(report.recorded, report.at);
    else if ("rejected" in report) this.#listener.rejected?.(report.rejected, report.code, report.text);
    else if ("users" in report) program.answered(report.users);
    else if ("presence" in report) this.#listener.present?.(program, report.presence, report);
    else if ("error" in report) this.#listener.error(program, report.error, report.text);
  }

  #ended(program: Program, errors: string): void {
    if (program.state === "ended") return;
    const wasToEnd = program.state === "ending" || program.state === "draining";
    program.state = "ended";
    program.ended.resolve();
    this.#programs.delete(program.name);
    if (!wasToEnd) this.#listener.ended(program, errors);
  }
}
