import type { Peer as Socket } from "crossws";
import { perMessageDeflate } from "./deflate.ts";
import { decodeSaid, encodeEvent } from "./events.ts";
import { close, createHttpServer, listen } from "./http.ts";
import { identifyByUrl, type Identity } from "./identity.ts";
import type { Application, Peer, PeerServer } from "./peer.ts";

/** crossws with its adapter for Node.js. It has topics, but neither unions nor exclusions of them. */
export const crossws: Peer = {
  dialect: "websocket",
  settings: {
    library: "crossws",
    adapter: "crossws/adapters/node",
    sending: "ws.publish(topic, text)",
    idleTimeout: "0, none",
    compression: "off, the default; where it is measured, without context takeover, threshold 0",
  },
  start: startCrossws,
};

async function startCrossws(application: Application): Promise<PeerServer> {
  const { default: crosswsAdapter } = await import("crossws/adapters/node");
  const identities = new WeakMap<Socket, Identity>();
  const sockets = new Map<number, Socket>();
  const ws = crosswsAdapter({
    idleTimeout: 0,
    serverOptions: { perMessageDeflate: perMessageDeflate(application) },
    hooks: {
      open(socket) {
        const identity = identifyByUrl(socket.request.url);
        identities.set(socket, identity);
        sockets.set(identity.client, socket);
        for (const room of identity.rooms) socket.subscribe(room);
      },
      message(socket, message) {
        const home = identities.get(socket)?.rooms[0];
        if (home !== undefined) socket.publish(home, encodeEvent(home, decodeSaid(message.text())));
      },
      close(socket) {
        const identity = identities.get(socket);
        if (identity !== undefined) sockets.delete(identity.client);
      },
    },
  });
  const server = createHttpServer(application);
  server.on("upgrade", (request, socket, head) => void ws.handleUpgrade(request, socket, head));
  return {
    port: await listen(server),
    publish: (room, body) => ws.publish(room, encodeEvent(room, body)),
    join: (client, room) => sockets.get(client)?.subscribe(room),
    leave: (client, room) => sockets.get(client)?.unsubscribe(room),
    close: () => close(server),
  };
}
