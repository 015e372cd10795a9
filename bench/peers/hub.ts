import type { HubOptions, Socket } from "roomcast";
import { close, createHttpServer, listen } from "./http.ts";
import { identify } from "./identity.ts";
import type { Application, Peer, PeerServer } from "./peer.ts";
import { listen as listenOnUws, loadLibrary, serveHttp } from "./uws-app.ts";

const SETTINGS: Readonly<Record<string, string>> = {
  sending: "hub.to(room).emit",
  welcome: "off",
  heartbeat: "off",
  maxBufferedBytes: "4 MiB, the default: a client further behind is closed",
  compression: "off; where it is measured, the hub's option",
};

/** The rule of the rooms that are recorded, where that is measured. */
const RECORD = { size: 1_000, age: 3_600_000 };

/** The hub, beside the HTTP server of an application. */
export const hubOnWs: Peer = {
  dialect: "websocket",
  settings: { library: "roomcast", transport: "ws", ...SETTINGS },
  async start(application): Promise<PeerServer> {
    const { ws } = await import("roomcast/transports/ws");
    const server = createHttpServer(application);
    const hub = await startHub(ws({ server }), application);
    return {
      ...hub,
      port: await listen(server),
      close: async () => {
        await hub.close();
        await close(server);
      },
    };
  },
};

/** The hub, on an application's app of uWebSockets.js. */
export const hubOnUws: Peer = {
  dialect: "websocket",
  settings: { library: "roomcast", transport: "uws", ...SETTINGS },
  async start(application): Promise<PeerServer> {
    const library = loadLibrary();
    const { uws } = await import("roomcast/transports/uws");
    const app = library.App();
    const hub = await startHub(uws({ app }), application);
    serveHttp(app, application);
    return {
      ...hub,
      port: await listenOnUws(library, app),
      close: async () => {
        await hub.close();
        app.close();
      },
    };
  },
};

interface Types {
  client: { say: string };
  server: { m: string };
  data: {
    /** The room into which it speaks. */
    home: string | undefined;
  };
}

async function startHub(
  transport: NonNullable<HubOptions["transport"]>,
  { compression, recorded }: Application,
): Promise<Omit<PeerServer, "port">> {
  const { Hub } = await import("roomcast");
  const hub = new Hub<Types>({
    transport,
    welcome: false,
    heartbeat: false,
    compression,
    ...(recorded !== undefined && { joinable: () => true, history: { rooms: { [recorded]: RECORD } } }),
  });
  const sockets = new Map<number, Socket<Types>>();
  hub.on("connection", (socket) => {
    const { client, rooms } = identify(socket.handshake.query);
    sockets.set(client, socket);
    socket.data = { home: rooms[0] };
    socket.join(rooms);
  });
  hub.on("disconnection", (socket) => {
    sockets.delete(identify(socket.handshake.query).client);
  });
  hub.handle("say", (body, socket) => {
    const { home } = socket.data;
    if (home !== undefined) socket.to(home).emit("m", body);
  });
  hub.on("error", (error) => {
    // The hub would keep to itself what a listener throws.
    setImmediate(() => {
      throw error;
    });
  });
  return {
    publish: (room, body) => hub.to(room).emit("m", body),
    publishToUnion: (rooms, except, body) => hub.to(rooms).except(except).emit("m", body),
    join: (client, room) => sockets.get(client)?.join(room),
    leave: (client, room) => sockets.get(client)?.leave(room),
    close: () => hub.close(),
  };
}
