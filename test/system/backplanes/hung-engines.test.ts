import type { Backplane } from "roomcast";
import { nats } from "roomcast/backplanes/nats";
import { redis } from "roomcast/backplanes/redis";
import { createCluster, createSentinel } from "redis";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi, type TestContext } from "vitest";
import { freePort } from "../../support/free-port.ts";
import { NatsServer } from "../engines/nats.ts";
import { RedisSentinel } from "../engines/redis.ts";
import { Proxy } from "../network/proxy.ts";
import { LocalNode } from "./local-node.ts";

const PROGRAM = fileURLToPath(new URL("hung-node.mjs", import.meta.url));

const BACKPLANES: Readonly<Record<string, (port: number) => Backplane>> = {
  redis: (port) => redis({ url: `redis://127.0.0.1:${port}` }),
  "redis over TLS": (port) => redis({ url: `rediss://127.0.0.1:${port}` }),
  "redis cluster": (port) => redis({ client: createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] }) }),
  "redis sentinel": (port) => {
    return redis({ client: createSentinel({ name: "main", sentinelRootNodes: [{ host: "127.0.0.1", port }] }) });
  },
  nats: (port) => nats({ servers: `nats://127.0.0.1:${port}` }),
  "nats over TLS": (port) => {
    return nats({ servers: `nats://127.0.0.1:${port}`, options: { tls: { handshakeFirst: true } } });
  },
};

function until(isSo: () => boolean): Promise<void> {
  return vi.waitFor(() => expect(isSo()).toBe(true), { timeout: 30_000, interval: 10 });
}

/** An engine that takes connections and says nothing. */
async function hungEngine(t: TestContext): Promise<Proxy> {
  const engine = await Proxy.to(await freePort());
  engine.welcome = "hang";
  t.onTestFinished(() => engine.close());
  return engine;
}

function node(t: TestContext, backplane: Backplane): LocalNode {
  const created = new LocalNode(backplane);
  t.onTestFinished(() => created.hub.close());
  return created;
}

describe.each(Object.entries(BACKPLANES))("where %s takes connections and never answers", (kind, create) => {
  test.concurrent("an attempt leaves no connection behind", async (t) => {
    const engine = await hungEngine(t);
    const one = node(t, create(engine.port));
    await until(() => engine.size > 0);
    await until(() => one.errors.length > 0);
    engine.welcome = "refuse";
    await until(() => engine.size === 0);
    expect(one.errors).toEqual(["ERR_HUB_BACKPLANE"]);
  });

  test.concurrent("a process ends when its hub was closed", async (t) => {
    const engine = await hungEngine(t);
    const child = fork(PROGRAM, [kind, `${engine.port}`]);
    t.onTestFinished(() => void child.kill("SIGKILL"));
    await until(() => engine.size > 0);
    child.send("close");
    expect(await once(child, "exit")).toEqual([0, null]);
    await until(() => engine.size === 0);
  });
});

describe("where the first of several addresses takes connections and never answers", () => {
  test("nats goes on to the next", async (t) => {
    const engine = await hungEngine(t);
    const server = await NatsServer.start();
    t.onTestFinished(() => server.kill());
    const servers = [`nats://127.0.0.1:${engine.port}`, server.url];
    const one = node(t, nats({ servers, options: { noRandomize: true } }));
    await until(() => engine.size === 0 && one.hub.backplaneState === "connected");
    one.say("to all");
    await until(() => one.received.length > 0);
    expect(one.received).toEqual(["to all"]);
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
