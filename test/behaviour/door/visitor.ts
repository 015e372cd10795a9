import { createConnection, type Socket as TcpSocket } from "node:net";
import type { MemoryTransport } from "roomcast/testing";
import { WebSocket } from "ws";
import type { MemoryCloseEvent } from "../../../src/transports/memory/web-socket.ts";

/** What a client got for an answer to its handshake. */
export interface Answer {
  /** 101 if it was let in. */
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
}

/** How a client asks. */
export interface Request {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
}

/** A client at the door. */
export interface Visitor {
  /** `undefined` if the connection ended without one. */
  readonly answer: Promise<Answer | undefined>;
  /** The close code that it got. */
  readonly closed: Promise<number>;
  send(message: string): void;
  close(): void;
  /** Leaves without a word. */
  vanish(): void;
}

const IN: Answer = { status: 101, body: "", retryAfter: undefined };

/** A client on `ws`, whose headers are not a browser's unless it is given them. */
export function visitOverNetwork(port: number, { headers = {}, protocols = [] }: Request): Visitor {
  let tcp: TcpSocket | undefined;
  let refusal: Answer | undefined;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, [...protocols], {
    headers,
    perMessageDeflate: false,
    createConnection: () => (tcp = createConnection({ port, host: "127.0.0.1", noDelay: true })),
  });
  // What matters of it comes with the `close` event.
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

/** A client in memory. It names the host that it connects to, as every client of HTTP does. */
export function visitInMemory(transport: MemoryTransport, { headers = {}, protocols = [] }: Request): Visitor {
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
