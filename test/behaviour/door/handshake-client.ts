import { createConnection, type Socket as TcpSocket } from "node:net";
import type { MemoryTransport } from "roomcast/testing";
import { WebSocket } from "ws";
import type { MemoryCloseEvent } from "../../../src/transports/memory/web-socket.ts";

/** The answer to a client's handshake. */
export interface HttpAnswer {
  /** 101 if the client was let in. */
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
}

/** The headers and subprotocols that the request of a handshake has besides the required ones. */
export interface Request {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
}

/** A client that begins a handshake. */
export interface HandshakeClient {
  /** The answer, or `undefined` if the connection ended without one. */
  readonly answer: Promise<HttpAnswer | undefined>;
  /** The close code that the client got. */
  readonly closed: Promise<number>;
  send(message: string): void;
  close(): void;
  /** Ends the connection without a close frame. */
  vanish(): void;
}

const IN: HttpAnswer = { status: 101, body: "", retryAfter: undefined };

/** A client on `ws`, without the headers of a browser unless `headers` has them. */
export function connectOverNetwork(port: number, { headers = {}, protocols = [] }: Request): HandshakeClient {
  let tcp: TcpSocket | undefined;
  let refusal: HttpAnswer | undefined;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, [...protocols], {
    headers,
    perMessageDeflate: false,
    createConnection: () => (tcp = createConnection({ port, host: "127.0.0.1", noDelay: true })),
  });
  // The `close` event that follows has all that matters.
  socket.on("error", () => {});
  socket.on("unexpected-response", (_request, response) => {
    let body = "";
    response.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    response.on("close", () => {
      refusal = { status: response.statusCode ?? 0, body, retryAfter: response.headers["retry-after"] };
      socket.terminate();
    });
  });
  return {
    answer: new Promise((resolve) => {
      socket.once("open", () => resolve(IN));
      socket.once("close", () => resolve(refusal));
    }),
    closed: new Promise((resolve) => socket.once("close", resolve)),
    send: (message) => socket.send(message),
    close: () => socket.close(),
    vanish: () => tcp?.resetAndDestroy(),
  };
}

/** A client in memory. Its request has a `Host` header, as every request has. */
export function connectInMemory(
  transport: MemoryTransport,
  { headers = {}, protocols = [] }: Request,
): HandshakeClient {
  const socket = transport.connect("/", { headers: { host: "127.0.0.1", ...headers }, protocols });
  return {
    answer: new Promise((resolve) => {
      socket.addEventListener("open", () => resolve(IN));
      socket.addEventListener("close", () => {
        const { status, message, headers: given } = socket.refusal ?? {};
        resolve(status === undefined ? undefined : { status, body: message ?? "", retryAfter: given?.["Retry-After"] });
      });
    }),
    closed: new Promise((resolve) => {
      socket.addEventListener("close", (event) => resolve((event as MemoryCloseEvent).code));
    }),
    send: (message) => socket.send(message),
    close: () => socket.close(),
    vanish: () => socket.terminate(),
  };
}
