import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";
import { freePort } from "../../support/free-port.ts";
import { EngineProcess } from "./process.ts";

/** A Redis server on a free port, without persistence. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #args: readonly string[];
  #process: EngineProcess | undefined;

  static async start(args: readonly string[] = [], port?: number): Promise<RedisServer> {
    const server = new RedisServer(port ?? (await freePort()), await mkdtemp(join(tmpdir(), "redis-")), args);
    await server.restart();
    return server;
  }

  private constructor(port: number, folder: string, args: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#args = args;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get process(): EngineProcess {
    if (this.#process === undefined) throw new Error("The server is not running.");
    return this.#process;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  /** Starts it again, on the same port. */
  async restart(): Promise<void> {
    const usual = ["--port", `${this.port}`, "--bind", "127.0.0.1", "--save", "", "--dir", this.#folder];
    // A master would wait five seconds for further replicas.
    usual.push("--repl-diskless-sync-delay", "0");
    this.#process = await EngineProcess.start("redis-server", [...usual, ...this.#args], this.port);
  }

  /** Runs one command. */
  async command(...args: readonly string[]): Promise<unknown> {
    const client = createClient({ url: this.url });
    await client.connect();
    try {
      return await client.sendCommand([...args]);
    } finally {
      client.destroy();
    }
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const SLOTS = 16_384;

/** Starts a server that can belong to a Cluster. */
async function serverOfCluster(): Promise<RedisServer> {
  const bus = ["--cluster-port", `${await freePort()}`, "--cluster-node-timeout", "2000"];
  return RedisServer.start(["--cluster-enabled", "yes", ...bus]);
}

/** A Redis Cluster of three masters without replicas. */
export class RedisCluster {
  readonly servers: readonly RedisServer[];
  readonly #added: RedisServer[] = [];

  static async start(): Promise<RedisCluster> {
    const servers: RedisServer[] = [];
    for (let index = 0; index < 3; index++) servers.push(await serverOfCluster());
    const cluster = new RedisCluster(servers);
    await cluster.#form();
    return cluster;
  }

  private constructor(servers: readonly RedisServer[]) {
    this.servers = servers;
  }

  /** Waits until every server knows that all slots are served. */
  async healthy(): Promise<void> {
    for (const server of this.servers) {
      for (;;) {
        const info = String(await server.command("CLUSTER", "INFO"));
        if (info.includes("cluster_state:ok") && info.includes("cluster_known_nodes:3")) break;
        await sleep(50);
      }
    }
  }

  /** The server of this slot's number. */
  serverOf(slot: number): RedisServer {
    return this.servers[Math.floor((slot * this.servers.length) / SLOTS)] as RedisServer;
  }

  /** Moves the slot of a channel from its server to another one. */
  async move(channel: string): Promise<void> {
    const arrive = await this.migrate(channel);
    await arrive();
  }

  /** Adds a server, and moves the slot of a channel to it. */
  async grow(channel: string): Promise<void> {
    const server = await serverOfCluster();
    this.#added.push(server);
    await this.#meet(server);
    const all = [...this.servers, server];
    // A server that is only about to be known cannot be given a slot.
    const isKnown = async (known: RedisServer): Promise<boolean> => {
      const nodes = String(await known.command("CLUSTER", "NODES"));
      return !nodes.includes("handshake") && all.every(({ port }) => nodes.includes(`:${port}@`));
    };
    for (const known of all) while (!(await isKnown(known))) await sleep(50);
    const arrive = await this.migrate(channel, server);
    await arrive();
  }

  /** Begins to move the slot of a channel. Returns what ends it. */
  async migrate(channel: string, to?: RedisServer): Promise<() => Promise<void>> {
    const slot = Number(await this.servers[0]?.command("CLUSTER", "KEYSLOT", channel));
    const source = this.serverOf(slot);
    const target = to ?? this.servers.find((server) => server !== source);
    if (target === undefined) throw new Error("There is no other server.");
    const [from, there] = [await source.command("CLUSTER", "MYID"), await target.command("CLUSTER", "MYID")];
    await target.command("CLUSTER", "SETSLOT", `${slot}`, "IMPORTING", String(from));
    await source.command("CLUSTER", "SETSLOT", `${slot}`, "MIGRATING", String(there));
    return async () => {
      for (const server of [target, source])
        await server.command("CLUSTER", "SETSLOT", `${slot}`, "NODE", String(there));
    };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.servers, ...this.#added].map((server) => server.stop()));
  }

  async #form(): Promise<void> {
    const share = SLOTS / this.servers.length;
    for (const [index, server] of this.servers.entries()) {
      const from = Math.ceil(index * share);
      const to = Math.ceil((index + 1) * share) - 1;
      await server.command("CLUSTER", "ADDSLOTSRANGE", `${from}`, `${to}`);
      await server.command("CLUSTER", "SET-CONFIG-EPOCH", `${index + 1}`);
    }
    for (const server of this.servers.slice(1)) await this.#meet(server);
    await this.healthy();
  }

  async #meet(server: RedisServer): Promise<void> {
    const settings = (await server.command("CONFIG", "GET", "cluster-port")) as Record<string, string>;
    const bus = String(settings["cluster-port"]);
    await this.servers[0]?.command("CLUSTER", "MEET", "127.0.0.1", `${server.port}`, bus);
  }
}

/** A master with a replica, and one sentinel that alone decides. */
export class RedisSentinel {
  static readonly masterName = "main";
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly port: number;
  readonly #folder: string;
  readonly #process: EngineProcess;

  /**
   * @param downAfter - the silence of the master after which the replica takes its place, in milliseconds. On a busy machine it may be
   *   silent for seconds.
   * @param wayTo - returns the port at which the replica finds the master, if that is not the master's own.
   */
  static async start(
    downAfter = 60_000,
    wayTo: (port: number) => number | Promise<number> = (port) => port,
  ): Promise<RedisSentinel> {
    const master = await RedisServer.start();
    const replica = await RedisServer.start(["--replicaof", "127.0.0.1", `${await wayTo(master.port)}`]);
    while (!String(await replica.command("INFO", "replication")).includes("master_link_status:up")) await sleep(50);
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), "sentinel-"));
    const file = join(folder, "sentinel.conf");
    const name = RedisSentinel.masterName;
    const lines = [
      `port ${port}`,
      "bind 127.0.0.1",
      `dir ${folder}`,
      `sentinel monitor ${name} 127.0.0.1 ${master.port} 1`,
      `sentinel down-after-milliseconds ${name} ${downAfter}`,
      `sentinel failover-timeout ${name} 3000`,
    ];
    await writeFile(file, `${lines.join("\n")}\n`);
    const process = await EngineProcess.start("redis-server", [file, "--sentinel"], port);
    return new RedisSentinel(master, replica, port, folder, process);
  }

  private constructor(master: RedisServer, replica: RedisServer, port: number, folder: string, process: EngineProcess) {
    this.master = master;
    this.replica = replica;
    this.port = port;
    this.#folder = folder;
    this.#process = process;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#process.kill(), this.master.stop(), this.replica.stop()]);
    await rm(this.#folder, { recursive: true, force: true });
  }
}
