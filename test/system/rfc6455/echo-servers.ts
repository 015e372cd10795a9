import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { Hub, type Codec, type HubOptions, type TransportName } from "roomcast";
import { WebSocketServer } from "ws";
import { RawClient } from "../../../src/testing/raw-client.ts";
import { loadLibrary } from "../../../src/transports/uws/library.ts";

/** A server that sends back what it gets. */
export interface EchoServer {
  readonly port: number;
  stop(): unknown;
}

/** Connects a client, with or without TLS. */
export async function dial({ port }: EchoServer, isSecure: boolean): Promise<RawClient> {
  return isSecure ? RawClient.connectSecurely(port, HOST) : RawClient.connect(port, HOST);
}

/** Starts a server, with or without TLS. */
export type StartServer = (isSecure: boolean) => Promise<EchoServer>;

const fixture = (name: string): string => fileURLToPath(new URL(`../../support/fixtures/${name}`, import.meta.url));
const CERT = fixture("cert.pem");
const KEY = fixture("key.pem");

const HOST = "127.0.0.1";
const MIB = 1024 * 1024;

/** The largest message of the cases. */
const MAX_MESSAGE_BYTES = 16 * MIB;

/** How a hub sends back what it gets. */
export type Way = "replies" | "sends";

/** Takes every message for a request, the reply to which is the message. */
const REQUESTS: Codec = {
  encode: (packet) => packet.data as string | Uint8Array,
  decode: (message) => ({ event: "echo", id: 1, data: message }),
  weight: ({ length }) => length,
};

/** Takes no message for a packet, so that each goes to the `message` event. */
const MESSAGES: Codec = { ...REQUESTS, decode: () => undefined };

const BOUNDLESS = { perSecond: 1_000_000_000, burst: 1_000_000_000 };

/** What large and many messages need, which the limits of a hub refuse or slow down on purpose. */
const ROOMY: HubOptions = {
  maxMessageBytes: MAX_MESSAGE_BYTES,
  maxBufferedBytes: 4 * MAX_MESSAGE_BYTES,
  limits: { messages: BOUNDLESS, bytes: BOUNDLESS },
  compression: true,
};

/** A hub with the limits that it has by default. */
export const plainHub = (transport: TransportName, way: Way): StartServer => startHub(transport, way, {});

/** A hub with raised limits, and with compression. */
export const roomyHub = (transport: TransportName, way: Way): StartServer => startHub(transport, way, ROOMY);

function startHub(transport: TransportName, way: Way, options: HubOptions): StartServer {
  return async (isSecure) => {
    const codec = way === "replies" ? REQUESTS : MESSAGES;
    const hub = new Hub({ transport, welcome: false, heartbeat: false, codec, ...options });
    hub.handle("echo", (message) => message);
    hub.on("message", (socket, message) => socket.send(message));
    const tls = isSecure ? { tls: { certFile: CERT, keyFile: KEY } } : {};
    const { port } = await hub.listen({ host: HOST, ...tls });
    return { port, stop: () => hub.close() };
  };
}

/** The library without a hub. */
export const bare: Readonly<Record<TransportName, StartServer>> = { ws: startBareWs, uws: startBareUws };

async function startBareWs(isSecure: boolean): Promise<EchoServer> {
  const server = isSecure ? createTlsServer({ cert: readFileSync(CERT), key: readFileSync(KEY) }) : createHttpServer();
  const upgrades = new WebSocketServer({ server, perMessageDeflate: true, maxPayload: MAX_MESSAGE_BYTES });
  upgrades.on("connection", (socket) => {
    // What breaks the protocol is an error of the socket, which ends by itself.
    socket.on("error", () => {});
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await once(server.listen(0, HOST), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      upgrades.close();
      server.close();
    },
  };
}

async function startBareUws(isSecure: boolean): Promise<EchoServer> {
  const library = loadLibrary();
  const app = isSecure ? library.SSLApp({ cert_file_name: CERT, key_file_name: KEY }) : library.App();
  app.ws("/*", {
    maxPayloadLength: MAX_MESSAGE_BYTES,
    maxBackpressure: 4 * MAX_MESSAGE_BYTES,
    compression: library.SHARED_COMPRESSOR,
    sendPingsAutomatically: false,
    message: (socket, data, isBinary) => void socket.send(data, isBinary, true),
  });
  const port = await new Promise<number>((resolve) => {
    app.listen(HOST, 0, (socket) => resolve(library.us_socket_local_port(socket)));
  });
  return { port, stop: () => app.close() };
}
