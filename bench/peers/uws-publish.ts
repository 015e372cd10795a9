import type { WebSocket } from "uWebSockets.js";
import { decodeSaid, encodeEvent } from "./events.ts";
import { identifyByUrl, type Identity } from "./identity.ts";
import type { Application, Peer, PeerServer } from "./peer.ts";
import { Rooms } from "./rooms.ts";
import { listen, loadLibrary, serveHttp } from "./uws-app.ts";

type Socket = WebSocket<Identity>;

/** uWebSockets.js alone, with its own publish and subscribe. */
export const uwsPublish: Peer = {
  dialect: "websocket",
  settings: {
    library: "uWebSockets.js",
    rooms: "topics; a union is a loop over a Set, because topics would send twice",
    sending: "publish(topic, text); a Buffer is no faster, because it is converted once",
    maxBackpressure: "0, no limit",
    idleTimeout: "0, none",
    compression: "off; where it is measured, SHARED_COMPRESSOR",
  },
  start: startUwsPublish,
};

async function startUwsPublish(application: Application): Promise<PeerServer> {
  const library = loadLibrary();
  const { compression } = application;
  const rooms = new Rooms<Socket>();
  const app = library.App();
  app.ws<Identity>("/*", {
    compression: compression ? library.SHARED_COMPRESSOR : library.DISABLED,
    maxBackpressure: 0,
    maxPayloadLength: 1024 * 1024,
    idleTimeout: 0,
    sendPingsAutomatically: false,
    upgrade: (response, request, context) => {
      response.upgrade(
        identifyByUrl(request.getQuery()),
        request.getHeader("sec-websocket-key"),
        "",
        request.getHeader("sec-websocket-extensions"),
        context,
      );
    },
    open: (socket) => {
      const identity = socket.getUserData();
      rooms.enter(identity, socket);
      for (const room of identity.rooms) socket.subscribe(room);
    },
    message: (socket, message) => {
      const [home] = socket.getUserData().rooms;
      if (home === undefined) return;
      socket.publish(home, encodeEvent(home, decodeSaid(Buffer.from(message).toString())), false, compression);
    },
    close: (socket) => rooms.remove(socket.getUserData(), socket),
  });
  serveHttp(app, application);
  return {
    port: await listen(library, app),
    publish: (room, body) => void app.publish(room, encodeEvent(room, body), false, compression),
    publishToUnion: (names, except, body) => {
      // Here it pays: a string would be converted for each socket.
      const message = Buffer.from(encodeEvent(names.length === 1 ? names[0] : undefined, body));
      for (const socket of rooms.union(names, except)) socket.send(message, false, compression);
    },
    join: (client, room) => {
      rooms.join(client, room);
      rooms.socketOf(client)?.subscribe(room);
    },
    leave: (client, room) => {
      rooms.leave(client, room);
      rooms.socketOf(client)?.unsubscribe(room);
    },
    close: async () => void app.close(),
  };
}
