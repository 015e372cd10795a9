import { redis } from "roomcast/backplanes/redis";
import { backplaneSuite, type BackplaneSubject } from "roomcast/testing";
import { createCluster, createSentinel } from "redis";
import { afterAll, beforeAll, describe, it } from "vitest";
import { ClusterSuite } from "../../../src/testing/suite/cluster/cluster-suite.ts";
import { logCases } from "../../../src/testing/suite/cluster/logs.ts";
import { onlineCases } from "../../../src/testing/suite/cluster/online.ts";
import { CLUSTER_TRANSPORTS } from "../../support/cluster-transports.ts";
import { RedisCluster, RedisSentinel, RedisServer } from "../engines/redis.ts";

describe("a single Redis server", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.stop());

  const subject: BackplaneSubject = {
    name: "redis",
    hasLog: true,
    create: (prefix) => redis({ url: server.url, prefix }),
    outage: { begin: () => server.kill(), end: () => server.restart() },
  };
  backplaneSuite({ describe, it }, subject, CLUSTER_TRANSPORTS);
});

describe("a Redis cluster", () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await RedisCluster.start();
  });
  afterAll(() => cluster.stop());

  const subject: BackplaneSubject = {
    name: "redis cluster",
    hasLog: true,
    create: (prefix) => {
      const rootNodes = cluster.servers.map(({ url }) => ({ url }));
      return redis({ client: createCluster({ rootNodes }), prefix });
    },
  };
  backplaneSuite({ describe, it }, subject, CLUSTER_TRANSPORTS);
});

describe("a master that Sentinel watches", () => {
  let sentinel: RedisSentinel;
  beforeAll(async () => {
    sentinel = await RedisSentinel.start();
  });
  afterAll(() => sentinel.stop());

  const subject: BackplaneSubject = {
    name: "redis sentinel",
    hasLog: true,
    create: (prefix) => {
      const name = RedisSentinel.masterName;
      const sentinelRootNodes = [{ host: "127.0.0.1", port: sentinel.port }];
      return redis({ client: createSentinel({ name, sentinelRootNodes, replicaPoolSize: 1 }), prefix });
    },
  };
  // The rest is as with a single server.
  const suite = new ClusterSuite({ describe, it }, subject, CLUSTER_TRANSPORTS);
  suite.group("logs", logCases);
  suite.group("online", onlineCases);
});
