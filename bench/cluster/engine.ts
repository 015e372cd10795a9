import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";
import { median } from "../statistics/median.ts";

/** Of the clock in /proc: ticks of 10 ms, as on every Linux that Node.js runs on. */
const TICK = 10_000;

const ROUND_TRIPS = 300;
const PAUSE = 2;

/** A Redis server of the benchmark's own, on a free port of 127.0.0.1. */
export class Engine {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #client: ReturnType<typeof connectionTo>;

  static async start(): Promise<Engine> {
    const port = await freePort();
    const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", tmpdir()];
    const child = spawn("redis-server", args, { stdio: "ignore" });
    const failed = once(child, "error").then(([error]) => {
      throw new Error('redis-server cannot be started: run "npm run setup".', { cause: error });
    });
    failed.catch(() => {});
    const url = `redis://127.0.0.1:${port}`;
    const client = connectionTo(url);
    client.on("error", () => {});
    await Promise.race([client.connect(), failed]);
    return new Engine(url, child, client);
  }

  private constructor(url: string, child: ChildProcess, client: ReturnType<typeof connectionTo>) {
    this.url = url;
    this.#process = child;
    this.#client = client;
  }

  /** In microseconds, since its start. */
  cpu(): number {
    const stat = readFileSync(`/proc/${this.#process.pid}/stat`, "utf8");
    const [user = 0, system = 0] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 13)
      .map(Number);
    return (user + system) * TICK;
  }

  /** What it has sent to the nodes, in bytes, since its start. */
  async output(): Promise<number> {
    return Number(/total_net_output_bytes:(\d+)/.exec(await this.#client.info("stats"))?.[1]);
  }

  /** From publishing to receiving, with nothing in between, in microseconds: the median. */
  async roundTrip(): Promise<number> {
    const subscriber = this.#client.duplicate();
    await subscriber.connect();
    const times: number[] = [];
    await subscriber.sSubscribe("round trip", (sent) => {
      times.push(Number(process.hrtime.bigint() - BigInt(sent)) / 1000);
    });
    for (let count = 0; count < ROUND_TRIPS; count++) {
      await this.#client.sPublish("round trip", String(process.hrtime.bigint()));
      await sleep(PAUSE);
    }
    subscriber.destroy();
    return median(times);
  }

  async stop(): Promise<void> {
    this.#client.destroy();
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}

function connectionTo(url: string) {
  return createClient({ url, socket: { reconnectStrategy: () => 20 } });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
