import { RedisCluster, RedisSentinel, RedisServer } from "../engines/redis.ts";
import { Proxy } from "../network/proxy.ts";
import type { EngineAddress } from "./program.ts";
import type { Engine, Fault } from "./run.ts";

const ADDRESS = "127.0.0.1";

/** One server that forgets everything when it ends. */
export class SingleRedis implements Engine {
  readonly server: RedisServer;
  readonly #proxies: readonly Proxy[];

  static async start(programs: number): Promise<SingleRedis> {
    const server = await RedisServer.start();
    return new SingleRedis(server, await proxiesTo(server.port, programs));
  }

  private constructor(server: RedisServer, proxies: readonly Proxy[]) {
    this.server = server;
    this.#proxies = proxies;
  }

  addressFor(program: number): EngineAddress {
    return { kind: "redis", url: `redis://${ADDRESS}:${this.#proxies[program]?.port}` };
  }

  proxiesOf(program: number): readonly Proxy[] {
    return this.#proxies.slice(program, program + 1);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await closed(this.#proxies);
  }

  /** Kills the server, and starts it again after a pause. */
  async restart(pause: () => Promise<unknown>): Promise<void> {
    await this.server.kill();
    await pause();
    await this.server.restart();
  }

  readonly restarted: Fault = {
    name: "the server is killed and started again",
    causes: ["epoch", "unavailable"],
    happen: (run) => this.restart(() => run.wait(0, 300)),
  };

  readonly flushed: Fault = {
    name: "all keys are deleted",
    causes: ["epoch"],
    happen: async () => void (await this.server.command("FLUSHALL")),
  };

  /** The server has less memory than it needs, and gives up some keys. What is too much all the same, it refuses. */
  readonly evicted: Fault = {
    name: "keys are evicted",
    causes: ["epoch", "hole"],
    happen: async (run) => {
      const used = /used_memory:(\d+)/.exec(String(await this.server.command("INFO", "memory")))?.[1];
      await this.server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
      await this.server.command("CONFIG", "SET", "maxmemory", `${Number(used) - 20_000}`);
      await run.wait(200, 400);
      await this.server.command("CONFIG", "SET", "maxmemory", "0");
    },
  };

  readonly full: Fault = {
    name: "the server takes nothing more",
    causes: ["hole"],
    happen: async (run) => {
      await this.server.command("CONFIG", "SET", "maxmemory-policy", "noeviction");
      await this.server.command("CONFIG", "SET", "maxmemory", "1");
      await run.wait(100, 300);
      await this.server.command("CONFIG", "SET", "maxmemory", "0");
    },
  };
}

/** A master with a replica, which takes its place. */
export class SentinelRedis implements Engine {
  readonly #sentinel: RedisSentinel;
  readonly #replication: Proxy;
  /** By program: the ways to the sentinel, to the master and to the replica. */
  readonly #proxies: readonly (readonly Proxy[])[];

  static async start(programs: number): Promise<SentinelRedis> {
    let replication: Proxy | undefined;
    const sentinel = await RedisSentinel.start(1_000, async (port) => {
      replication = await Proxy.to(port);
      return replication.port;
    });
    const ports = [sentinel.port, sentinel.master.port, sentinel.replica.port];
    return new SentinelRedis(sentinel, replication as Proxy, await matrixTo(ports, programs));
  }

  private constructor(sentinel: RedisSentinel, replication: Proxy, proxies: readonly (readonly Proxy[])[]) {
    this.#sentinel = sentinel;
    this.#replication = replication;
    this.#proxies = proxies;
  }

  addressFor(program: number): EngineAddress {
    const [sentinel, master, replica] = portsOf(this.#proxies[program]);
    return {
      kind: "redis",
      sentinel: { name: RedisSentinel.masterName, sentinelRootNodes: [{ host: ADDRESS, port: sentinel }] },
      addresses: {
        [`${ADDRESS}:${this.#sentinel.port}`]: sentinel as number,
        [`${ADDRESS}:${this.#sentinel.master.port}`]: master as number,
        [`${ADDRESS}:${this.#sentinel.replica.port}`]: replica as number,
      },
    };
  }

  proxiesOf(program: number): readonly Proxy[] {
    return this.#proxies[program] ?? [];
  }

  async stop(): Promise<void> {
    await this.#sentinel.stop();
    await closed([this.#replication, ...this.#proxies.flat()]);
  }

  /** The master dies while the replica does not have its last entries. */
  readonly failedOver: Fault = {
    name: "a replica that is behind becomes the master",
    causes: ["epoch", "unavailable"],
    happen: async (run) => {
      this.#replication.stall();
      await run.wait(200, 400);
      await this.#sentinel.master.kill();
      this.#replication.reset();
      this.#replication.welcome = "refuse";
    },
  };
}

/** Three masters, each with some of the rooms. */
export class ClusterRedis implements Engine {
  readonly #cluster: RedisCluster;
  readonly #proxies: readonly (readonly Proxy[])[];

  static async start(programs: number): Promise<ClusterRedis> {
    const cluster = await RedisCluster.start();
    const ports = cluster.servers.map(({ port }) => port);
    return new ClusterRedis(cluster, await matrixTo(ports, programs));
  }

  private constructor(cluster: RedisCluster, proxies: readonly (readonly Proxy[])[]) {
    this.#cluster = cluster;
    this.#proxies = proxies;
  }

  addressFor(program: number): EngineAddress {
    const ports = portsOf(this.#proxies[program]);
    const addresses = this.#cluster.servers.map(({ port }, index) => [`${ADDRESS}:${port}`, ports[index]]);
    return {
      kind: "redis",
      cluster: { rootNodes: ports.map((port) => ({ url: `redis://${ADDRESS}:${port}` })) },
      addresses: Object.fromEntries(addresses),
    };
  }

  proxiesOf(program: number): readonly Proxy[] {
    return this.#proxies[program] ?? [];
  }

  async stop(): Promise<void> {
    await this.#cluster.stop();
    await closed(this.#proxies.flat());
  }

  /** A server dies with the rooms that it has, and is started again. */
  readonly restarted: Fault = {
    name: "a master is killed and started again",
    causes: ["epoch", "unavailable"],
    happen: async (run) => {
      const { servers } = this.#cluster;
      const sizes = await Promise.all(servers.map((server) => server.command("DBSIZE")));
      const server = run.random.pick(servers.filter((_, index) => Number(sizes[index]) > 0));
      await server.kill();
      await run.wait(0, 300);
      await server.restart();
      await this.#cluster.healthy();
    },
  };
}

async function proxiesTo(port: number, programs: number): Promise<readonly Proxy[]> {
  return Promise.all(Array.from({ length: programs }, () => Proxy.to(port)));
}

async function matrixTo(ports: readonly number[], programs: number): Promise<readonly (readonly Proxy[])[]> {
  return Promise.all(Array.from({ length: programs }, () => Promise.all(ports.map((port) => Proxy.to(port)))));
}

function portsOf(proxies: readonly Proxy[] = []): readonly number[] {
  return proxies.map(({ port }) => port);
}

async function closed(proxies: readonly Proxy[]): Promise<void> {
  await Promise.all(proxies.map((proxy) => proxy.close()));
}
