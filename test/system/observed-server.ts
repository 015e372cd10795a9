import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HubStatistics, TransportName } from "roomcast";
import type { Installation } from "../support/installation.ts";

/** What a server tells of itself. */
export interface Figures {
  readonly stats: HubStatistics;
  /** After garbage collection, in bytes. */
  readonly heap: number;
  readonly resident: number;
  /** What keeps the process alive, by kind. */
  readonly resources: Readonly<Record<string, number>>;
  /** Open files, sockets among them: the only way to see those of uWebSockets.js. */
  readonly descriptors: number;
  /** Exceptions, rejections and warnings that nobody caught. */
  readonly faults: readonly string[];
  /** What the application measures of itself. */
  readonly gauges: Readonly<Record<string, number>>;
}

/** How often figures are looked at while something is waited for: a limit, so that a test ends that waits in vain. */
const LOOKS = 400;

/**
 * Runs `application` with a hub and answers questions from outside. The application is the body of a function of `Hub`,
 * `transport` and `gauges`, to which it may add functions that return a number. It returns its hub, which is made to listen.
 */
function programOf(application: string): string {
  return `
import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Hub } from "roomcast";
const transport = process.argv[2];
// Node opens it when somebody looks at it first: from then on it is among the resources.
void process.stderr;
const faults = [];
for (const event of ["uncaughtException", "unhandledRejection", "warning"]) {
  process.on(event, (fault) => faults.push(event + ": " + (fault?.stack ?? String(fault))));
}
const gauges = {};
const hub = await (async () => {${application}})();
const { port } = await hub.listen({ host: "127.0.0.1" });
process.on("message", async (question) => {
  if (question === "close") {
    await hub.close();
    process.disconnect();
    return;
  }
  for (let round = 0; round < 3; round++) { globalThis.gc(); await delay(1); }
  const resources = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const { heapUsed: heap, rss: resident } = process.memoryUsage();
  const descriptors = readdirSync("/proc/self/fd").length;
  const read = Object.fromEntries(Object.entries(gauges).map(([name, gauge]) => [name, gauge()]));
  process.send({ stats: hub.stats(), heap, resident, resources, descriptors, faults, gauges: read });
});
process.send(port);
`;
}

/** A hub in a process of its own, so that a crash, a leak or a hang is seen from outside. */
export class ObservedServer {
  readonly port: number;
  readonly #process: ChildProcess;
  /** Rejects when the process ends. */
  readonly #death: Promise<never>;

  static async start(
    installation: Installation,
    transport: TransportName,
    application: string,
  ): Promise<ObservedServer> {
    const path = join(installation.folder, "server.mjs");
    writeFileSync(path, programOf(application));
    const child = fork(path, [transport], { cwd: installation.folder, execArgv: ["--expose-gc"] });
    const death = died(child);
    // Whoever asks for something hears of it.
    death.catch(() => {});
    const [port] = (await Promise.race([once(child, "message"), death])) as [number];
    return new ObservedServer(child, death, port);
  }

  private constructor(child: ChildProcess, death: Promise<never>, port: number) {
    this.#process = child;
    this.#death = death;
    this.port = port;
  }

  /** @throws if the process has died. */
  async figures(): Promise<Figures> {
    const answer = once(this.#process, "message");
    this.#process.send("figures");
    const [figures] = (await Promise.race([answer, this.#death])) as [Figures];
    return figures;
  }

  /** The figures as soon as they are as asked; the last ones if they never are. */
  async figuresOnce(areRight: (figures: Figures) => boolean, looks: number = LOOKS): Promise<Figures> {
    const figures = await this.figures();
    return areRight(figures) || looks === 0 ? figures : this.figuresOnce(areRight, looks - 1);
  }

  /** Closes the hub. Resolves with the exit code when the process has ended by itself. */
  async close(): Promise<number | null> {
    const exited = once(this.#process, "exit");
    this.#process.send("close");
    const [code] = (await exited) as [number | null];
    return code;
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

async function died(child: ChildProcess): Promise<never> {
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  throw new Error(`The server has died: code ${code}, signal ${signal}.`);
}
