import type { Backplane } from "roomcast";
import { nats } from "roomcast/backplanes/nats";
import { redis } from "roomcast/backplanes/redis";
import { createClient, createCluster, createSentinel } from "redis";
import { describe, expect, test, vi, type TestContext } from "vitest";
import type { LogPosition } from "../../../src/backplanes/backplane.ts";
import { LogNode, textsOf } from "../../../src/testing/suite/cluster/log-fixture.ts";
import { NatsServer } from "../engines/nats.ts";
import { RedisCluster, RedisSentinel, RedisServer } from "../engines/redis.ts";
import { addDocumentedUser, DOCUMENTED, documentedNats, documentedPermissions } from "./documented.ts";
import { node, together, until, type LocalNode } from "./local-node.ts";

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

/** Those that the documents take for an example. */
const LIMITS = { size: 1_000, age: 3_600_000 };
const NOWHERE: LogPosition = { epoch: "", at: 0 };

/** Does everything that a node does with the log of a room. Returns what the log has in the end. */
async function useLog(t: TestContext, create: () => Backplane): Promise<readonly string[]> {
  const all = [new LogNode(create(), "one"), new LogNode(create(), "two")];
  t.onTestFinished(async () => {
    await Promise.all(all.map(({ backplane }) => backplane.close()));
  });
  await until(() => all.every(({ isUp }) => isUp));
  const [one, two] = all as [LogNode, LogNode];
  for (const each of all) await each.log.append("room:x", [each.entry("forgotten")], LIMITS);
  await two.log.forget("room:x");
  for (const each of all) await each.log.append("room:x", [each.entry("a")], LIMITS, NOWHERE);
  const tail = await two.log.read("room:x", NOWHERE, 10);
  expect(await one.log.heads(["room:x", "room:y"])).toEqual([{ epoch: tail?.epoch, at: tail?.head }, undefined]);
  return textsOf(tail?.records ?? []);
}

/** Does everything that a node does with its engine, with as little permission as the documents say. Returns what went wrong. */
async function everythingWorks(
  t: TestContext,
  create: (prefix?: string) => Backplane,
  servers: readonly RedisServer[] = [],
): Promise<readonly unknown[]> {
  const backplane = create();
  const [one, two] = [node(t, backplane, { name: "one" }), node(t, create(), { name: "two", grace: 0 })];
  await together([one, two]);
  const socket = await two.socket;
  for (let round = 0; round < 20; round++) {
    socket.join("room");
    await two.hub.synced("room");
    one.hub.to("room").send(`${round}`);
    socket.leave("room");
  }
  if (servers.length > 0) await untilUsed(servers);
  expect((await one.hub.to("x").sockets()).length).toBe(2);
  one.hub.toSocket(socket.id).send("last");
  await until(() => two.received.includes("last"));
  expect(await backplane.interested?.(["nodes", "user:nobody"])).toEqual([true, false]);
  // The account can do nothing under another prefix.
  const stranger = node(t, create("other"));
  await until(() => stranger.errors.length > 0);
  expect(new Set(stranger.errors)).toEqual(new Set(["ERR_HUB_BACKPLANE"]));
  await expect(stranger.hub.synced()).rejects.toMatchObject({ code: "ERR_HUB_BACKPLANE" });
  expect([one.names, two.names]).toEqual([["two"], ["one"]]);
  return [...one.errors, ...two.errors, ...stranger.names];
}

describe("what the documents permit is enough", () => {
  test.concurrent("for a single Redis server", async (t) => {
    const server = await RedisServer.start();
    t.onTestFinished(() => server.stop());
    await addDocumentedUser([server]);
    const url = `redis://${DOCUMENTED.username}:${DOCUMENTED.password}@127.0.0.1:${server.port}`;
    expect(await everythingWorks(t, (prefix) => redis({ url, prefix }), [server])).toEqual([]);
    expect(await useLog(t, () => redis({ url }))).toEqual(["a", "a"]);
    expect(await useLog(t, () => redis({ url, prefix: "other" })).catch(String)).toContain("NOPERM");
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
    expect(await useLog(t, create)).toEqual(["a", "a"]);
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
    expect(await useLog(t, create)).toEqual(["a", "a"]);
  });

  test.concurrent("for NATS", async (t) => {
    const server = await NatsServer.start(documentedNats(), true);
    t.onTestFinished(() => server.stop());
    const options = { user: DOCUMENTED.username, pass: DOCUMENTED.password };
    const create = (prefix?: string): Backplane => nats({ servers: server.url, options, prefix });
    expect(await everythingWorks(t, create)).toEqual([]);
    expect(await useLog(t, create)).toEqual(["a", "a"]);
    expect(await useLog(t, () => create("other")).catch(String)).toContain("Permissions Violation");
  });
});

describe("less is not enough for a single Redis server", () => {
  const permissions = documentedPermissions().slice(0, -1);

  test.concurrent.for(permissions)("without %s", async (permission, t) => {
    const server = await RedisServer.start();
    t.onTestFinished(() => server.stop());
    await addDocumentedUser([server], permission);
    const url = `redis://${DOCUMENTED.username}:${DOCUMENTED.password}@127.0.0.1:${server.port}`;
    const backplane = redis({ url });
    const one = node(t, backplane, { grace: 0 });
    const socket = await one.socket;
    await until(() => one.hub.backplaneState !== "connecting");
    socket.leave("x");
    let refused = 0;
    useLog(t, () => redis({ url })).catch(() => refused++);
    if ((await backplane.interested?.(["x"]).catch(() => [])) === undefined) refused++;
    const failures = (): number => one.errors.length + (one.hub.stats().cluster?.lost ?? 0) + refused;
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
  await together([zero, one]);
  await until(() => apart.hub.backplaneState === "connected");
  await apart.hub.synced();
  zero.say("all");
  await until(() => one.received.includes("all"));
  expect([apart.names, apart.received]).toEqual([[], []]);
});
