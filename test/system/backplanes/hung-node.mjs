// A node whose engine takes connections and never answers. It closes its hub when it is told to, and should then end by itself.
import { createCluster, createSentinel } from "redis";
import { nats } from "../../../dist/backplanes/nats/index.js";
import { redis } from "../../../dist/backplanes/redis/index.js";
import { Hub } from "../../../dist/index.js";

const [kind, port] = process.argv.slice(2);
const BACKPLANES = {
  redis: () => redis({ url: `redis://127.0.0.1:${port}` }),
  "redis over TLS": () => redis({ url: `rediss://127.0.0.1:${port}` }),
  "redis cluster": () => redis({ client: createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] }) }),
  "redis sentinel": () => {
    const sentinelRootNodes = [{ host: "127.0.0.1", port: Number(port) }];
    return redis({ client: createSentinel({ name: "main", sentinelRootNodes }) });
  },
  nats: () => nats({ servers: `nats://127.0.0.1:${port}` }),
  "nats over TLS": () => nats({ servers: `nats://127.0.0.1:${port}`, options: { tls: { handshakeFirst: true } } }),
};
const hub = new Hub({ backplane: BACKPLANES[kind](), heartbeat: false });
hub.on("error", () => {});
process.once("message", () => {
  void hub.close().then(() => process.disconnect());
});
