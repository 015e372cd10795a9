import { createConnection, type Socket as TcpSocket } from "node:net";
import { WebSocket } from "ws";
import type { Codec } from "../protocol/codec.ts";
import type { Transport } from "../transports/transport.ts";
import { memory, type MemoryTransport } from "../transports/memory/index.ts";
import { RawClient } from "./raw-client.ts";
import { SuiteRefusal, WebSocketClient, type SuiteClient, type SuiteConnectOptions } from "./suite-client.ts";

/** A transport for the conformance suite: how to create it, and how to connect clients to it. */
export interface TransportSubject {
  /** The name of the transport in the names of the tests. */
  readonly name: string;
  /** Creates a transport. Called for every test. */
  create(): Transport;
  /**
   * Begins to connect a client to the transport, which listens on `port` of 127.0.0.1.
   *
   * @param transport - the transport that `create` returned.
   */
  connect(transport: Transport, port: number, options: SuiteConnectOptions): SuiteClient;
  /** Connects a client that sends bytes. Absent for a transport that has no such clients. */
  connectRaw?(port: number): Promise<RawClient>;
  /**
   * Whether the transport receives frames that a client sends before its handshake is answered. RFC 6455 section 4.1
   * forbids clients to send such frames, so no transport has to receive them. Default: `false`.
   */
  readonly takesEarlyFrames?: boolean;
  /** Whether hubs and clients use permessage-deflate in tests that do not set it themselves. Default: `false`. */
  readonly compression?: boolean;
  /**
   * The codec of hubs and clients in tests that do not set it themselves. If its packets are text, it has to leave
   * binary messages to the `message` event; if they are binary, text. Default: JSON.
   */
  readonly codec?: Codec;
}

type SubjectOptions = Pick<TransportSubject, "takesEarlyFrames" | "compression" | "codec">;

/** Creates the subject of a transport that serves TCP. Its clients are those of `ws`, and raw TCP sockets. */
export function overSockets(name: string, create: () => Transport, options: SubjectOptions = {}): TransportSubject {
  const { compression = false } = options;
  return {
    name,
    create,
    connect: (_transport, port, how) => connectSocket(port, { compression, ...how }),
    connectRaw: (port) => RawClient.connect(port),
    ...options,
  };
}

/** Creates the subject of the transport in memory. */
export function inMemory(name = "memory", options: Pick<TransportSubject, "codec"> = {}): TransportSubject {
  return {
    name,
    create: memory,
    connect: (transport, _port, how) => connectMemory(transport as MemoryTransport, how),
    ...options,
  };
}

function connectSocket(port: number, options: SuiteConnectOptions): SuiteClient {
  const { url = "/", headers = {}, protocols = [], compression = false } = options;
  let tcp: TcpSocket | undefined;
  let refusal: SuiteRefusal | undefined;
  const socket = new WebSocket(`ws://127.0.0.1:${port}${url}`, [...protocols], {
    headers,
    perMessageDeflate: compression ? { threshold: 0 } : false,
    createConnection: () => (tcp = createConnection({ port, host: "127.0.0.1", noDelay: true })),
  });
  socket.binaryType = "arraybuffer";
  // The `close` event tells what matters of an error.
  socket.on("error", () => {});
  socket.on("unexpected-response", (_request, response) => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      body += text;
    });
    response.on("close", () => {
      refusal = new SuiteRefusal(response.statusCode ?? 0, body);
      socket.terminate();
    });
  });
  return new WebSocketClient(
    socket,
    () => refusal,
    () => tcp?.resetAndDestroy(),
  );
}

function connectMemory(transport: MemoryTransport, options: SuiteConnectOptions): SuiteClient {
  const { url = "/", headers = {}, protocols = [] } = options;
  const lowerCase = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const socket = transport.connect(url, { headers: lowerCase, protocols });
  return new WebSocketClient(
    {
      get protocol() {
        return socket.protocol;
      },
      addEventListener: (type: string, listener: (event: never) => void) => {
        socket.addEventListener(type, listener as (event: Event) => void);
      },
      send: (message) => socket.send(message),
      close: (code, reason) => socket.close(code, reason),
      pause: () => socket.pause(),
      resume: () => socket.resume(),
    },
    () => socket.refusal && new SuiteRefusal(socket.refusal.status, socket.refusal.message),
    () => socket.terminate(),
  );
}
