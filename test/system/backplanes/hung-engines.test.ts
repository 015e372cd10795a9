import { nats } from "roomcast/backplanes/nats";
import { redis } from "roomcast/backplanes/redis";
import { createCluster, createSentinel } from "redis";
import { describe, expect, test, vi, type TestContext } from "vitest";
import { CERT_FILE } from "../../support/certificate.ts";
import { freePort } from "../../support/free-port.ts";
import { NatsServer } from "../engines/nats.ts";
import { RedisCluster, RedisSentinel } from "../engines/redis.ts";
import { Proxy } from "../network/proxy.ts";
import { ForeignNode, type ForeignKind } from "./foreign-node.ts";
import { node, until } from "./local-node.ts";
import { tlsFront } from "./tls-front.ts";

/** An engine that takes connections and says nothing. */
async function hungEngine(t: TestContext): Promise<Proxy> {
  const engine = await Proxy.to(await freePort());
  engine.welcome = "hang";
  t.onTestFinished(() => engine.close());
  return engine;
}

const KINDS = [
  "nats",
  "nats, TLS first",
  "redis",
  "redis cluster",
  "redis over TLS",
  "redis sentinel",
] as const satisfies readonly ForeignKind[];

describe.each(KINDS)("where %s takes connections and never answers", (kind) => {
  test.concurrent("an attempt leaves no connection behind, and the process ends when its hub was closed", async (t) => {
    const engine = await hungEngine(t);
    const one = await ForeignNode.start(t, kind, engine.port);
    await until(() => engine.size > 0);
    await until(() => one.errors.length > 0);
    engine.welcome = "refuse";
    await until(() => engine.size === 0);
    engine.welcome = "hang";
    await until(() => engine.size > 0);
    expect(await one.close()).toEqual([0, null]);
    await until(() => engine.size === 0);
    expect(one.errors).toEqual(["ERR_HUB_BACKPLANE"]);
  });
});

describe("where the first of several addresses takes connections and never answers", () => {
  test("nats goes on to the next", async (t) => {
    const engine = await hungEngine(t);
    const server = await NatsServer.start();
    t.onTestFinished(() => server.stop());
    const servers = [`nats://127.0.0.1:${engine.port}`, server.url];
    const one = node(t, nats({ servers, options: { noRandomize: true } }));
    await until(() => engine.size === 0 && one.hub.backplaneState === "connected");
    one.say("to all");
    await until(() => one.received.length > 0);
    expect(one.received).toEqual(["to all"]);
  });

  test("nats goes on to the next, where a connection begins with TLS", async (t) => {
    const engine = await hungEngine(t);
    const server = await NatsServer.start();
    t.onTestFinished(() => server.stop());
    const front = await tlsFront(t, server.port);
    const servers = [engine.port, front].map((port) => `nats://127.0.0.1:${port}`);
    const tls = { handshakeFirst: true, caFile: CERT_FILE };
    const one = node(t, nats({ servers, options: { noRandomize: true, tls } }));
    await until(() => engine.size === 0 && one.hub.backplaneState === "connected");
    expect(one.errors).toEqual([]);
  });

  test("redis goes on to the next server of a Cluster", async (t) => {
    const engine = await hungEngine(t);
    const cluster = await RedisCluster.start();
    t.onTestFinished(() => cluster.stop());
    const ports = [engine.port, cluster.servers[0]?.port];
    const rootNodes = ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }));
    // The package begins each attempt with any of them.
    const random = vi.spyOn(Math, "random").mockReturnValue(0);
    t.onTestFinished(() => random.mockRestore());
    const one = node(t, redis({ client: createCluster({ rootNodes }) }));
    await until(() => engine.size > 0);
    random.mockReturnValue(0.75);
    await until(() => engine.size === 0 && one.hub.backplaneState === "connected");
    expect(one.errors).toEqual(["ERR_HUB_BACKPLANE"]);
  });

  test("redis goes on to the next sentinel", async (t) => {
    const engine = await hungEngine(t);
    const sentinel = await RedisSentinel.start();
    t.onTestFinished(() => sentinel.stop());
    const sentinelRootNodes = [engine.port, sentinel.port].map((port) => ({ host: "127.0.0.1", port }));
    const one = node(t, redis({ client: createSentinel({ name: RedisSentinel.masterName, sentinelRootNodes }) }));
    await until(() => engine.size === 0 && one.hub.backplaneState === "connected");
    expect(one.errors).toEqual(["ERR_HUB_BACKPLANE"]);
  });
});
