import type { Server, ServerOptions, Socket } from "socket.io";
import { perMessageDeflate } from "./deflate.ts";
import { close, createHttpServer, listen } from "./http.ts";
import { identify } from "./identity.ts";
import type { Peer, PeerServer } from "./peer.ts";
import { listen as listenOnUws, loadLibrary, serveHttp } from "./uws-app.ts";

/** Longer than any run, in milliseconds; together still what a timer can wait. */
const NEVER = 1_000_000_000;

const SETTINGS: Readonly<Record<string, string>> = {
  library: "socket.io",
  transports: "websocket only",
  sending: "io.to(room).emit",
  pingInterval: "1,000,000 s, so none is sent",
  connectionStateRecovery: "off, the default",
};

/** Socket.IO as it comes: on `ws`, beside the HTTP server of an application. */
export const socketIoOnWs: Peer = {
  dialect: "engine.io",
  settings: {
    ...SETTINGS,
    wsEngine: "ws, the default",
    compression: "off, the default; where it is measured, without context takeover, threshold 0",
  },
  async start(application): Promise<PeerServer> {
    const { Server } = await import("socket.io");
    const http = createHttpServer(application);
    const io = new Server(http, { ...commonOptions(), perMessageDeflate: perMessageDeflate(application) });
    const server = serve(io);
    return {
      ...server,
      port: await listen(http),
      close: async () => {
        io.engine.close();
        await close(http);
      },
    };
  },
};

/** Socket.IO with its other engine, which publishes through the topics of uWebSockets.js. */
export const socketIoOnUws: Peer = {
  dialect: "engine.io",
  settings: {
    ...SETTINGS,
    attachApp: "App() of uWebSockets.js",
    maxBackpressure: "0, no limit",
    idleTimeout: "0, none",
    compression: "off; where it is measured, SHARED_COMPRESSOR, which it does not use for what it publishes to a room",
  },
  async start(application): Promise<PeerServer> {
    const library = loadLibrary();
    const { Server } = await import("socket.io");
    const app = library.App();
    const io = new Server(commonOptions());
    const compression = application.compression ? library.SHARED_COMPRESSOR : library.DISABLED;
    // Passed on to the library, which the declarations do not know.
    const options = { compression, maxBackpressure: 0, idleTimeout: 0 } as Partial<ServerOptions>;
    io.attachApp(app, { ...options, perMessageDeflate: perMessageDeflate(application) });
    serveHttp(app, application);
    const server = serve(io);
    return {
      ...server,
      port: await listenOnUws(library, app),
      close: async () => {
        await io.close();
        app.close();
      },
    };
  },
};

function commonOptions(): Partial<ServerOptions> {
  return { transports: ["websocket"], serveClient: false, pingInterval: NEVER, pingTimeout: NEVER };
}

function serve(io: Server): Omit<PeerServer, "port" | "close"> {
  const sockets = new Map<number, Socket>();
  io.on("connection", (socket) => {
    const { client, rooms } = identify(new URLSearchParams(socket.handshake.query as Record<string, string>));
    const [home] = rooms;
    sockets.set(client, socket);
    void socket.join([...rooms]);
    socket.on("say", (body: string) => {
      if (home !== undefined) socket.to(home).emit("m", body);
    });
    socket.on("disconnect", () => sockets.delete(client));
  });
  return {
    publish: (room, body) => void io.to(room).emit("m", body),
    publishToUnion: (rooms, except, body) =>
      void io
        .to([...rooms])
        .except([...except])
        .emit("m", body),
    join: (client, room) => void sockets.get(client)?.join(room),
    leave: (client, room) => void sockets.get(client)?.leave(room),
  };
}
