import { createServer } from "node:http";
import { createClient } from "redis";
import { Hub, type TransportName } from "roomcast";
import { redis } from "roomcast/backplanes/redis";

export type ClusterPeerName = "hub on ws" | "hub on uws" | "socket.io streams" | "socket.io sharded" | "drops";

/** One node of a cluster, on 127.0.0.1. */
interface ClusterNode {
  readonly port: number;
  publish(room: string, body: string): void;
  /** Resolves when what other nodes send arrives. */
  settled(): Promise<void>;
}

/** A library with what connects its processes over Redis, set up as its users would. */
export interface ClusterPeer {
  readonly dialect: "engine.io" | "websocket";
  start(engine: string): Promise<ClusterNode>;
}

/** Longer than any run, in milliseconds; together still what a timer can wait. */
const NEVER = 1_000_000_000;

/** How long an adapter is given to subscribe: none of them says when it has, in milliseconds. */
const SETTLING = 1_000;

/** One in so many is not sent on by the peer that is broken on purpose. */
const DROPPED = 100;

export const CLUSTER_PEERS: Readonly<Record<ClusterPeerName, ClusterPeer>> = {
  "hub on ws": hubOn("ws", (hub) => (room, body) => hub.to(room).send(body)),
  "hub on uws": hubOn("uws", (hub) => (room, body) => hub.to(room).send(body)),
  "socket.io streams": socketIo(async (url) => {
    const { createAdapter } = await import("@socket.io/redis-streams-adapter");
    const client = createClient({ url });
    await client.connect();
    // What is sent is text: it need not look for bytes.
    return createAdapter(client, { onlyPlaintext: true });
  }),
  "socket.io sharded": socketIo(async (url) => {
    const { createShardedAdapter } = await import("@socket.io/redis-adapter");
    const [publisher, subscriber] = [createClient({ url }), createClient({ url })];
    await Promise.all([publisher.connect(), subscriber.connect()]);
    return createShardedAdapter(publisher, subscriber, { subscriptionMode: "dynamic-private" });
  }),
  drops: hubOn("ws", (hub) => {
    let count = 0;
    return (room, body) => (++count % DROPPED === 0 ? hub.local : hub).to(room).send(body);
  }),
};

function hubOn(transport: TransportName, publisherOf: (hub: Hub) => (room: string, body: string) => void): ClusterPeer {
  return {
    dialect: "websocket",
    async start(url): Promise<ClusterNode> {
      const hub = new Hub({ transport, backplane: redis({ url }), welcome: false, heartbeat: false });
      hub.on("connection", (socket) => socket.join(socket.handshake.query.get("room") ?? ""));
      const { port } = await hub.listen({ host: "127.0.0.1" });
      return { port, publish: publisherOf(hub), settled: () => hub.synced() };
    },
  };
}

function socketIo(adapterOf: (url: string) => Promise<unknown>): ClusterPeer {
  return {
    dialect: "engine.io",
    async start(url): Promise<ClusterNode> {
      const { Server } = await import("socket.io");
      const http = createServer();
      const io = new Server(http, {
        transports: ["websocket"],
        serveClient: false,
        pingInterval: NEVER,
        pingTimeout: NEVER,
        adapter: (await adapterOf(url)) as never,
      });
      io.on("connection", (socket) => {
        void socket.join(String(socket.handshake.query["room"]));
      });
      await new Promise<void>((resolve) => {
        http.listen(0, "127.0.0.1", resolve);
      });
      const { port } = http.address() as { readonly port: number };
      return {
        port,
        publish: (room, body) => void io.to(room).emit("m", body),
        settled: () =>
          new Promise((resolve) => {
            setTimeout(resolve, SETTLING);
          }),
      };
    },
  };
}
