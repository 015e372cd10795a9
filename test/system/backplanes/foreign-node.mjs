// A node in a process of its own, which a test can kill or freeze. It is over when it was told to close its hub, or its test has ended.
import { createCluster, createSentinel } from "redis";
import { nats } from "../../../dist/backplanes/nats/index.js";
import { redis } from "../../../dist/backplanes/redis/index.js";
import { Hub } from "../../../dist/index.js";

const [name, kind, port] = process.argv.slice(2);
const BACKPLANES = {
  redis: () => redis({ url: `redis://127.0.0.1:${port}` }),
  "redis over TLS": () => redis({ url: `rediss://127.0.0.1:${port}` }),
  "redis cluster": () => redis({ client: createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] }) }),
  "redis sentinel": () => {
    const sentinelRootNodes = [{ host: "127.0.0.1", port: Number(port) }];
    return redis({ client: createSentinel({ name: "main", sentinelRootNodes }) });
  },
  nats: () => nats({ servers: `nats://127.0.0.1:${port}` }),
  "nats over TLS": () => nats({ servers: `nats://127.0.0.1:${port}`, options: { tls: {} } }),
  "nats, TLS first": () => nats({ servers: `nats://127.0.0.1:${port}`, options: { tls: { handshakeFirst: true } } }),
};
const backplane = BACKPLANES[kind]();
const hub = new Hub({ backplane, welcome: false, heartbeat: false, cluster: { name, lease: 1_500 } });
hub.on("connection", (socket) => socket.join("x"));
hub.on("error", ({ code }) => process.send({ error: code }));

const exit = () => process.exit();
process.once("disconnect", exit);
process.on("message", (command) => {
  if (command === "sync") void hub.synced().then(() => process.send({ synced: true }));
  if (command === "close") void close();
});

async function close() {
  await hub.close();
  // The process has to end by itself.
  process.off("disconnect", exit);
  process.disconnect();
}

const address = await hub.listen({ host: "127.0.0.1" });
process.send({ port: address.port });
