import type { WebSocket } from "ws";
import { perMessageDeflate } from "./deflate.ts";
import { decodeSaid, encodeEvent } from "./events.ts";
import { close, createHttpServer, listen } from "./http.ts";
import { identifyByUrl } from "./identity.ts";
import type { Application, Peer, PeerServer } from "./peer.ts";
import { Rooms } from "./rooms.ts";

/** Sends a message to all of them but the sender. */
export type Broadcast = (members: Members, message: string, sender?: WebSocket) => void;

export type Members = ReturnType<Rooms<WebSocket>["members"]>;

/** The control: `ws` alone, a set of sockets for each room, and `send` in a loop. */
export const wsLoop: Peer = {
  dialect: "websocket",
  settings: {
    library: "ws",
    rooms: "a Map of Sets",
    sending: "socket.send(buffer, { binary: false }) in a loop, converted once",
    compression: "off; where it is measured, without context takeover, threshold 0",
  },
  start: (application) => startWsLoop(application, () => sendToEach),
};

/** @param broadcasting - makes the loop, knowing the set of all sockets. */
export async function startWsLoop(
  application: Application,
  broadcasting: (everybody: ReadonlySet<WebSocket>) => Broadcast,
): Promise<PeerServer> {
  const { WebSocketServer } = await import("ws");
  const http = createHttpServer(application);
  const server = new WebSocketServer({ server: http, perMessageDeflate: perMessageDeflate(application) });
  const broadcast = broadcasting(server.clients);
  const rooms = new Rooms<WebSocket>();
  server.on("connection", (socket, request) => {
    const identity = identifyByUrl(request.url);
    const [home] = identity.rooms;
    rooms.enter(identity, socket);
    socket.on("message", (message) => {
      if (home === undefined) return;
      broadcast(rooms.members(home), encodeEvent(home, decodeSaid((message as Buffer).toString())), socket);
    });
    socket.on("close", () => rooms.remove(identity, socket));
    // A client that is cut off: `close` follows.
    socket.on("error", () => {});
  });
  return {
    port: await listen(http),
    publish: (room, body) => broadcast(rooms.members(room), encodeEvent(room, body)),
    publishToUnion: (names, except, body) => {
      broadcast(rooms.union(names, except), encodeEvent(names.length === 1 ? names[0] : undefined, body));
    },
    join: (client, room) => rooms.join(client, room),
    leave: (client, room) => rooms.leave(client, room),
    close: () => close(http),
  };
}

/** The string is converted once, not by every `send`. */
function sendToEach(members: Members, message: string, sender?: WebSocket): void {
  const data = Buffer.from(message);
  for (const socket of members) {
    if (socket !== sender && socket.readyState === socket.OPEN) socket.send(data, { binary: false });
  }
}
