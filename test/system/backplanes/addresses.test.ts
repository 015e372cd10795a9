import { nats } from "roomcast/backplanes/nats";
import { redis } from "roomcast/backplanes/redis";
import { createCluster, createSentinel } from "redis";
import { describe, expect, test, vi } from "vitest";
import { freePort } from "../../support/free-port.ts";
import { EngineProcess } from "../engines/process.ts";
import { RedisCluster, RedisSentinel, RedisServer } from "../engines/redis.ts";
import { node, pair, together, until } from "./local-node.ts";

describe("where the only address that was given dies, and its cluster lives", () => {
  test("nats goes on with a server that the first one has named", async (t) => {
    const ports = [await freePort(), await freePort()] as const;
    const routes = [await freePort(), await freePort()] as const;
    const [first] = await Promise.all(
      ports.map(async (port, index) => {
        const route = `nats://127.0.0.1:${routes[index]}`;
        const others = routes.filter((_, other) => other !== index).map((other) => `nats://127.0.0.1:${other}`);
        const args = ["-a", "127.0.0.1", "-p", `${port}`, "--cluster_name", "test", "--cluster", route];
        const server = await EngineProcess.start("nats-server", [...args, "--routes", others.join(",")], port);
        t.onTestFinished(() => server.kill());
        return server;
      }),
    );
    const two = await pair(t, () => nats({ servers: `127.0.0.1:${ports[0]}` }));
    await first?.kill();
    await until(() => two.every(({ hub }) => hub.backplaneState === "disconnected"));
    await together(two);
    two[0].say("afterwards");
    await until(() => two[1].received.length > 0);
    expect(two[1].received).toEqual(["afterwards"]);
  });

  test("redis goes on with the servers of the Cluster", async (t) => {
    const cluster = await RedisCluster.start();
    t.onTestFinished(() => cluster.stop());
    // A server without slots, whose death leaves the cluster whole.
    const bus = await freePort();
    const given = await RedisServer.start(["--cluster-enabled", "yes", "--cluster-port", `${bus}`]);
    t.onTestFinished(() => given.stop());
    await cluster.servers[0]?.command("CLUSTER", "MEET", "127.0.0.1", `${given.port}`, `${bus}`);
    await vi.waitFor(async () => expect(String(await given.command("CLUSTER", "INFO"))).toContain("cluster_state:ok"), {
      timeout: 30_000,
    });
    const two = await pair(t, () => redis({ client: createCluster({ rootNodes: [{ url: given.url }] }) }));
    await given.kill();
    for (const server of cluster.servers) await server.command("CLIENT", "KILL", "TYPE", "normal");
    await until(() => two.every(({ hub }) => hub.backplaneState === "disconnected"));
    await together(two);
    two[0].say("afterwards");
    await until(() => two[1].received.length > 0);
    expect(two[1].received).toEqual(["afterwards"]);
  });
});

describe("where the first of several addresses is dead", () => {
  test("redis connects to the next sentinel", async (t) => {
    const sentinel = await RedisSentinel.start();
    t.onTestFinished(() => sentinel.stop());
    const sentinelRootNodes = [await freePort(), sentinel.port].map((port) => ({ host: "127.0.0.1", port }));
    const one = node(t, redis({ client: createSentinel({ name: RedisSentinel.masterName, sentinelRootNodes }) }));
    await vi.waitFor(() => expect(one.hub.backplaneState).toBe("connected"), { timeout: 20_000 });
  });

  test("redis connects to the next server of a Cluster", async (t) => {
    const cluster = await RedisCluster.start();
    t.onTestFinished(() => cluster.stop());
    const [live] = cluster.servers;
    // So many because the package begins with any of them.
    const dead = Array.from({ length: 200 }, () => "redis://127.0.0.1:1");
    const rootNodes = [...dead, `${live?.url}`].map((url) => ({ url }));
    const one = node(t, redis({ client: createCluster({ rootNodes }) }));
    await vi.waitFor(() => expect(one.hub.backplaneState).toBe("connected"), { timeout: 20_000 });
  });
});
