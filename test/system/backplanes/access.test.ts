import type { Backplane } from "roomcast";
import { nats } from "roomcast/backplanes/nats";
import { redis } from "roomcast/backplanes/redis";
import { createClient, createCluster, createSentinel } from "redis";
import { describe, expect, test, vi, type TestContext } from "vitest";
import { NatsServer } from "../engines/nats.ts";
import { RedisCluster, RedisSentinel, RedisServer } from "../engines/redis.ts";
import { addDocumentedUser, DOCUMENTED, documentedNats, documentedPermissions } from "./documented.ts";
import { LocalNode } from "./local-node.ts";

function until(isSo: () => boolean): Promise<void> {
  return vi.waitFor(() => expect(isSo()).toBe(true), { timeout: 20_000, interval: 10 });
}

function node(t: TestContext, backplane: Backplane): LocalNode {
  const created = new LocalNode(backplane, { grace: 0 });
  t.onTestFinished(() => created.hub.close());
  return created;
}

async function together(...nodes: readonly LocalNode[]): Promise<void> {
  await Promise.all(nodes.map(({ socket }) => socket));
  await until(() => nodes.every(({ hub }) => hub.nodes.length === nodes.length - 1));
  await Promise.all(nodes.map(({ hub }) => hub.synced()));
}

/** Waits until a server of Redis was pinged, and one was unsubscribed from. */
async function untilUsed(servers: readonly RedisServer[]): Promise<void> {
  await vi.waitFor(
    async () => {
      const stats = String(await Promise.all(servers.map((server) => server.command("INFO", "commandstats"))));
      expect(stats).toMatch(/cmdstat_ping:/);
      expect(stats).toMatch(/cmdstat_sunsubscribe:/);
    },
    { timeout: 20_000 },
  );
}

/** Does everything that a node does with its engine, with as little permission as the documents say. Returns what went wrong. */
async function everythingWorks(
  t: TestContext,
  create: (prefix?: string) => Backplane,
  servers: readonly RedisServer[] = [],
): Promise<readonly unknown[]> {
  const [one, two] = [node(t, create()), node(t, create())];
  await together(one, two);
  const socket = await two.socket;
  socket.join("room");
  await two.hub.synced("room");
  one.hub.to("room").send("to the room");
  await until(() => two.received.includes("to the room"));
  socket.leave("room");
  if (servers.length > 0) await untilUsed(servers);
  one.say("to x");
  await until(() => two.received.includes("to x"));
  // The account can do nothing under another prefix.
  const stranger = node(t, create("other"));
  await until(() => stranger.errors.length > 0 || stranger.hub.backplaneState !== "connected");
  return [...one.errors, ...two.errors, ...stranger.names];
}

describe("what the documents permit is enough", () => {
  test.concurrent("for a single Redis server", async (t) => {
    const server = await RedisServer.start();
    t.onTestFinished(() => server.stop());
    await addDocumentedUser([server]);
    const url = `redis://${DOCUMENTED.username}:${DOCUMENTED.password}@127.0.0.1:${server.port}`;
    expect(await everythingWorks(t, (prefix) => redis({ url, prefix }), [server])).toEqual([]);
  });

  test.concurrent("for a Redis Cluster", async (t) => {
    const cluster = await RedisCluster.start();
    t.onTestFinished(() => cluster.stop());
    await addDocumentedUser(cluster.servers);
    const rootNodes = cluster.servers.map(({ url }) => ({ url }));
    const create = (prefix?: string): Backplane => {
      return redis({ client: createCluster({ rootNodes, defaults: DOCUMENTED }), prefix });
    };
    expect(await everythingWorks(t, create, cluster.servers)).toEqual([]);
  });

  test.concurrent("behind a sentinel", async (t) => {
    const sentinel = await RedisSentinel.start();
    t.onTestFinished(() => sentinel.stop());
    await addDocumentedUser([sentinel.master, sentinel.replica]);
    const sentinelRootNodes = [{ host: "127.0.0.1", port: sentinel.port }];
    const name = RedisSentinel.masterName;
    const create = (prefix?: string): Backplane => {
      return redis({ client: createSentinel({ name, sentinelRootNodes, nodeClientOptions: DOCUMENTED }), prefix });
    };
    expect(await everythingWorks(t, create, [sentinel.master])).toEqual([]);
  });

  test.concurrent("for NATS", async (t) => {
    const server = await NatsServer.start(documentedNats());
    t.onTestFinished(() => server.stop());
    const options = { user: DOCUMENTED.username, pass: DOCUMENTED.password };
    const create = (prefix?: string): Backplane => nats({ servers: server.url, options, prefix });
    expect(await everythingWorks(t, create)).toEqual([]);
  });
});

describe("less is not enough for a single Redis server", () => {
  const permissions = documentedPermissions().slice(0, -1);

  test.concurrent.for(permissions)("without %s", async (permission, t) => {
    const server = await RedisServer.start();
    t.onTestFinished(() => server.stop());
    await addDocumentedUser([server], permission);
    const one = node(
      t,
      redis({ url: `redis://${DOCUMENTED.username}:${DOCUMENTED.password}@127.0.0.1:${server.port}` }),
    );
    const socket = await one.socket;
    await until(() => one.hub.backplaneState !== "connecting");
    socket.leave("x");
    const failures = (): number => one.errors.length + (one.hub.stats().cluster?.lost ?? 0);
    await vi.waitFor(() => expect(failures()).toBeGreaterThan(0), { timeout: 20_000 });
  });
});

test("redis: a prefix separates applications, and the database number of a client does not", async (t) => {
  const server = await RedisServer.start();
  t.onTestFinished(() => server.stop());
  const on = (database: number, prefix?: string): LocalNode => {
    return node(t, redis({ client: createClient({ url: server.url, database }), prefix }));
  };
  const [zero, one, apart] = [on(0), on(1), on(0, "apart")];
  await together(zero, one);
  await until(() => apart.hub.backplaneState === "connected");
  await apart.hub.synced();
  zero.say("all");
  await until(() => one.received.includes("all"));
  expect([apart.names, apart.received]).toEqual([[], []]);
});
