import type { Backplane } from "roomcast";
import { redis } from "roomcast/backplanes/redis";
import { createCluster, createSentinel } from "redis";
import { expect, onTestFinished, test, vi } from "vitest";
import { RedisCluster, RedisSentinel, RedisServer } from "../engines/redis.ts";

/** More than the pings that all connections send until the test is given up. */
const MESSAGES = 500;

const DEPLOYMENTS: Readonly<Record<string, () => Promise<Backplane>>> = {
  single: async () => {
    const server = await RedisServer.start();
    onTestFinished(() => server.stop());
    return redis({ url: server.url });
  },
  cluster: async () => {
    const cluster = await RedisCluster.start();
    onTestFinished(() => cluster.stop());
    return redis({ client: createCluster({ rootNodes: cluster.servers.map(({ url }) => ({ url })) }) });
  },
  sentinel: async () => {
    const sentinel = await RedisSentinel.start();
    onTestFinished(() => sentinel.stop());
    const sentinelRootNodes = [{ host: "127.0.0.1", port: sentinel.port }];
    return redis({ client: createSentinel({ name: RedisSentinel.masterName, sentinelRootNodes }) });
  },
};

test.each(Object.keys(DEPLOYMENTS))(
  "%s: neither a message nor an entry of a log sets a timer in the package",
  async (name) => {
    const backplane = await (DEPLOYMENTS[name] as () => Promise<Backplane>)();
    onTestFinished(() => backplane.close());
    await new Promise<void>((resolve) => {
      backplane.start({ message: () => {}, up: () => resolve(), refused: () => {}, down: () => {} });
    });
    const timeout = vi.spyOn(AbortSignal, "timeout");
    onTestFinished(() => timeout.mockRestore());
    const messages = Array.from({ length: MESSAGES }, () => backplane.publish("x", new Uint8Array(64)));
    const entry = { origin: "origin", envelope: new Uint8Array(64) };
    const appended = Array.from({ length: MESSAGES }, (_, index) => {
      return backplane.log?.append("x", [{ ...entry, number: index + 1 }], { size: 10, age: 1_000 });
    });
    await Promise.all([...messages, ...appended]);
    expect(timeout.mock.calls.length).toBeLessThan(MESSAGES);
  },
);
