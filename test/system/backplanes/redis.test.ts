import { redis } from "roomcast/backplanes/redis";
import { backplaneSuite, type BackplaneSubject } from "roomcast/testing";
import { createCluster } from "redis";
import { afterAll, beforeAll, describe, it } from "vitest";
import { RedisCluster, RedisServer } from "../engines/redis.ts";
import { CLUSTER_TRANSPORTS } from "../../support/cluster-transports.ts";

describe("a single Redis server", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.stop());

  const subject: BackplaneSubject = {
    name: "redis",
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
    create: (prefix) => {
      const rootNodes = cluster.servers.map(({ url }) => ({ url }));
      return redis({ client: createCluster({ rootNodes }), prefix });
    },
  };
  backplaneSuite({ describe, it }, subject, CLUSTER_TRANSPORTS);
});
