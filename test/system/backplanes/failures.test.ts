import type { Backplane } from "roomcast";
import { nats } from "roomcast/backplanes/nats";
import { redis } from "roomcast/backplanes/redis";
import { createClient, createCluster, createSentinel } from "redis";
import { connect } from "@nats-io/transport-node";
import { describe, expect, test, vi, type TestContext } from "vitest";
import { NatsServer } from "../engines/nats.ts";
import type { EngineProcess } from "../engines/process.ts";
import { RedisCluster, RedisSentinel, RedisServer } from "../engines/redis.ts";
import { freePort } from "../../support/free-port.ts";
import { Proxy } from "../network/proxy.ts";
import { WsClient } from "../../support/ws-client.ts";
import { ForeignNode } from "./foreign-node.ts";
import { node, pair, together, until } from "./local-node.ts";

/** A server of either kind. */
interface Engine {
  readonly port: number;
  readonly url: string;
  readonly process: EngineProcess;
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Ends it, and removes its files. */
  stop(): Promise<void>;
}

const ENGINES = {
  redis: {
    start: (): Promise<Engine> => RedisServer.start(),
    backplane: (port: number): Backplane => redis({ url: `redis://127.0.0.1:${port}` }),
  },
  nats: {
    start: (): Promise<Engine> => NatsServer.start(),
    backplane: (port: number): Backplane => nats({ servers: `nats://127.0.0.1:${port}` }),
  },
} as const;

describe.each(["redis", "nats"] as const)("%s", (kind) => {
  const { start, backplane } = ENGINES[kind];

  async function engine(t: TestContext): Promise<Engine> {
    const server = await start();
    t.onTestFinished(() => server.stop());
    return server;
  }

  test.concurrent("a node that is killed is removed within its lease, and nothing waits for it", async (t) => {
    const server = await engine(t);
    const here = node(t, backplane(server.port));
    await here.socket;
    const there = await ForeignNode.start(t, kind, server.port, "there");
    await until(() => here.names.includes("there"));
    await there.kill();
    const { silent, replies } = await here.hub.to("x").except("x").request("q", 1, { timeout: 60_000 });
    expect([silent, replies.size, here.names]).toEqual([["there"], 0, []]);
    expect((await here.hub.to("x").sockets()).silent).toEqual([]);
  });

  test.concurrent("a frozen node is named, removed, and returns with everything in order and nothing twice", async (t) => {
    const server = await engine(t);
    const here = node(t, backplane(server.port));
    await here.socket;
    const there = await ForeignNode.start(t, kind, server.port, "there");
    const client = await WsClient.connect(`ws://127.0.0.1:${there.port}`);
    await until(() => here.names.includes("there"));
    await vi.waitFor(async () => expect(await here.hub.to("x").sockets()).toHaveLength(2), { timeout: 20_000 });

    there.freeze();
    const { silent } = await here.hub.to("x").sockets({ timeout: 200 });
    expect(silent).toEqual(["there"]);
    await until(() => here.names.length === 0);
    here.say("while it stood still");
    there.thaw();
    await until(() => here.names.includes("there"));
    here.say("afterwards");
    // An engine keeps what is on its way to a node for a while, or gives the node up.
    const heard = [await client.next()];
    while (heard.at(-1) !== "afterwards") heard.push(await client.next());
    expect(["while it stood still", "afterwards"]).toEqual(expect.arrayContaining(heard));
    expect(new Set(heard).size).toBe(heard.length);
    client.vanish();
  });

  test.concurrent("a frozen engine is reported as unavailable, and local traffic goes on", async (t) => {
    const server = await engine(t);
    const [one, two] = await pair(t, () => backplane(server.port));
    server.process.freeze();
    await until(() => one.hub.backplaneState === "disconnected" && two.hub.backplaneState === "disconnected");
    one.say("local");
    await until(() => one.received.includes("local"));
    server.process.thaw();
    await together([one, two]);
    one.say("all");
    await until(() => two.received.includes("all"));
    expect([one.errors, two.errors]).toEqual([["ERR_HUB_BACKPLANE"], ["ERR_HUB_BACKPLANE"]]);
    expect([one.received, two.received]).toEqual([["local", "all"], ["all"]]);
  });

  test.concurrent("a node whose connections were cut silently notices and reconnects", async (t) => {
    const server = await engine(t);
    const proxy = await Proxy.to(server.port);
    t.onTestFinished(() => proxy.close());
    const cut = node(t, backplane(proxy.port), { name: "cut" });
    const other = node(t, backplane(server.port), { name: "other" });
    await together([cut, other]);
    proxy.isolate();
    proxy.welcome = "hang";
    await until(() => cut.hub.backplaneState === "disconnected" && other.names.length === 0);
    other.say("unheard");
    (await cut.socket).join("meanwhile");
    proxy.welcome = "forward";
    await together([cut, other]);
    other.hub.to("meanwhile").send("heard");
    await until(() => cut.received.includes("heard"));
    expect(cut.received).toEqual(["heard"]);
    expect([cut.errors, other.errors]).toEqual([["ERR_HUB_BACKPLANE"], []]);
  });

  test("an engine that is absent at the start is reported once, and used when it appears", async (t) => {
    const port = await freePort();
    const proxy = await Proxy.to(port);
    t.onTestFinished(() => proxy.close());
    proxy.welcome = "refuse";
    const [one, two] = [node(t, backplane(proxy.port)), node(t, backplane(proxy.port))];
    await until(() => one.errors.length + two.errors.length === 2);
    one.say("local");
    const server = await engine(t);
    proxy.target = server.port;
    proxy.welcome = "forward";
    await together([one, two]);
    one.say("all");
    await until(() => two.received.includes("all"));
    expect([one.received, two.received]).toEqual([["local", "all"], ["all"]]);
    expect([one.errors, two.errors]).toEqual([["ERR_HUB_BACKPLANE"], ["ERR_HUB_BACKPLANE"]]);
  });

  test("what exceeds the limit of an engine that is too slow is dropped, which is reported once", async (t) => {
    const server = await engine(t);
    const one = node(t, backplane(server.port), { maxPendingBytes: 100_000 });
    await one.socket;
    await until(() => one.hub.backplaneState === "connected");
    server.process.freeze();
    const before = one.hub.stats().cluster?.lost ?? 0;
    for (let index = 0; index < 200; index++) one.say("m".repeat(1_000));
    const lost = (one.hub.stats().cluster?.lost ?? 0) - before;
    expect(lost).toBeGreaterThanOrEqual(100);
    expect(one.errors).toEqual(["ERR_HUB_BACKPLANE"]);
    server.process.thaw();
    await until(() => one.received.length === 200);
  });

  test("many nodes reconnect at once", async (t) => {
    const server = await engine(t);
    const all = Array.from({ length: 12 }, (_, index) => node(t, backplane(server.port), { name: `${index}` }));
    await together(all);
    for (let round = 0; round < 2; round++) {
      await server.kill();
      await until(() => all.every(({ hub }) => hub.backplaneState === "disconnected"));
      await server.restart();
      await together(all);
    }
    all[0]?.say("all");
    await until(() => all.every(({ received }) => received.length === 1));
    expect(all.map(({ errors }) => errors.length)).toEqual(all.map(() => 2));
  });

  test("nothing keeps the process alive once the hub is closed", async (t) => {
    const server = await engine(t);
    const before = process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
    const one = node(t, backplane(server.port));
    await until(() => one.hub.backplaneState === "connected");
    await one.hub.close();
    await until(() => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length <= before);
    expect(one.errors).toEqual([]);
  });
});

describe("redis", () => {
  test("a connection of the application's is neither used nor closed", async (t) => {
    const server = await RedisServer.start();
    t.onTestFinished(() => server.stop());
    const client = createClient({ url: server.url });
    await client.connect();
    t.onTestFinished(() => client.destroy());
    const [one, two] = await pair(t, () => redis({ client }));
    one.say("all");
    await until(() => two.received.includes("all"));
    await one.hub.close();
    await expect(client.ping()).resolves.toBe("PONG");
  });

  test.concurrent("behind a sentinel, the nodes follow the master", async (t) => {
    const sentinel = await RedisSentinel.start(1_000);
    t.onTestFinished(() => sentinel.stop());
    const create = (): Backplane => {
      const sentinelRootNodes = [{ host: "127.0.0.1", port: sentinel.port }];
      return redis({ client: createSentinel({ name: RedisSentinel.masterName, sentinelRootNodes }) });
    };
    const [one, two] = await pair(t, create);
    one.say("before");
    await until(() => two.received.includes("before"));
    await sentinel.master.kill();
    await until(() => one.hub.backplaneState === "disconnected" && two.hub.backplaneState === "disconnected");
    await together([one, two]);
    one.say("after");
    await until(() => two.received.includes("after"));
    expect(two.received).toEqual(["before", "after"]);
  });

  test.concurrent("in a cluster, a server may die and restart", async (t) => {
    const cluster = await RedisCluster.start();
    t.onTestFinished(() => cluster.stop());
    const rootNodes = cluster.servers.map(({ url }) => ({ url }));
    const [one, two] = await pair(t, () => redis({ client: createCluster({ rootNodes }) }));
    const rooms = Array.from({ length: 20 }, (_, index) => `room ${index}`);
    (await two.socket).join(rooms);
    const [first] = cluster.servers;
    await first?.kill();
    await until(() => one.hub.backplaneState === "disconnected" && two.hub.backplaneState === "disconnected");
    await first?.restart();
    await cluster.healthy();
    await together([one, two]);
    for (const room of rooms) one.hub.to(room).send(room);
    await until(() => two.received.length === rooms.length);
    expect(two.received.toSorted()).toEqual(rooms.toSorted());
  });
});

describe("nats", () => {
  test("a connection of the application's stays open, and is used again after an outage", async (t) => {
    const server = await NatsServer.start();
    t.onTestFinished(() => server.stop());
    const connections = await Promise.all(
      [1, 2].map(() => connect({ servers: server.url, reconnectTimeWait: 100, maxReconnectAttempts: -1 })),
    );
    t.onTestFinished(async () => {
      await Promise.all(connections.map((connection) => connection.close()));
    });
    const unused = [...connections];
    const [one, two] = await pair(t, () => nats({ connection: unused.pop() as (typeof connections)[0] }));
    one.say("before");
    await until(() => two.received.includes("before"));
    await server.kill();
    await until(() => one.hub.backplaneState === "disconnected" && two.hub.backplaneState === "disconnected");
    await server.restart();
    await together([one, two]);
    one.say("after");
    await until(() => two.received.includes("after"));
    expect(two.received).toEqual(["before", "after"]);
    await Promise.all([one.hub.close(), two.hub.close()]);
    await Promise.all(connections.map((connection) => connection.flush()));
    expect(connections.every((connection) => !connection.isClosed())).toBe(true);
    // Nothing listens to them any more.
    expect(connections.map((connection) => Reflect.get(connection, "protocol").listeners)).toEqual([[], []]);
  });
});
