import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import type * as uWS from "uWebSockets.js";
import { Hub } from "roomcast";
import { WebSocketServer } from "ws";

/** The ways of broadcasting that are compared. */
export type Peer = "ws loop" | "hub on ws" | "uws publish" | "hub on uws";

/** A server with one room, which every client is in. */
interface RunningPeer {
  readonly port: number;
  /** Sends one message to everybody. */
  readonly broadcast: (body: string) => void;
}

/** Payload of every message in bytes. */
export const SIZE = 64;

/** Starts a peer. */
export const peers: Record<Peer, () => Promise<RunningPeer>> = {
  "ws loop": async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
    await new Promise((resolve) => server.once("listening", resolve));
    return {
      port: (server.address() as AddressInfo).port,
      broadcast: (body) => {
        const text = envelope(body);
        for (const client of server.clients) client.send(text);
      },
    };
  },
  "hub on ws": () => hubPeer("ws"),
  "hub on uws": () => hubPeer("uws"),
  "uws publish": async () => {
    const library = createRequire(import.meta.url)("uWebSockets.js") as typeof uWS;
    const app = library.App().ws("/*", {
      idleTimeout: 0,
      maxBackpressure: 0,
      open: (socket) => void socket.subscribe("r"),
    });
    const port = await new Promise<number>((resolve) => {
      app.listen("127.0.0.1", 0, (socket) => {
        if (socket !== false) resolve(library.us_socket_local_port(socket));
      });
    });
    return { port, broadcast: (body) => void app.publish("r", envelope(body), false) };
  },
};

async function hubPeer(transport: "ws" | "uws"): Promise<RunningPeer> {
  const hub = new Hub({ transport, welcome: false });
  hub.on("connection", (socket) => socket.join("r"));
  const { port } = await hub.listen({ port: 0, host: "127.0.0.1" });
  return { port, broadcast: (body) => hub.to("r").emit("m", body) };
}

/** The same bytes that the hub's codec makes. */
function envelope(body: string): string {
  return `{"event":"m","room":"r","data":${JSON.stringify(body)}}`;
}

/** What is left for the body. */
export const BODY_SIZE: number = SIZE - envelope("").length;
