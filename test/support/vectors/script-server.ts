import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { Inbox } from "../../../src/testing/inbox.ts";
import { messageOf, stepOf } from "./message.ts";
import type { Known } from "./notation.ts";
import type { WireStep } from "./vectors.ts";

/** The code that an end reports for a close frame without one. */
const NO_CODE = 1005;

/** A handshake that is not answered yet. */
interface Asked {
  readonly request: IncomingMessage;
  readonly tcp: Duplex;
  readonly head: Buffer;
}

/** A server that says the steps of a vector, and nothing by itself, to one client at a time. */
export class ScriptServer {
  readonly #http: Server = createServer();
  readonly #steps = new Inbox<WireStep>();
  #asked: Asked | undefined;
  #socket: WebSocket | undefined;

  static async start(): Promise<ScriptServer> {
    const server = new ScriptServer();
    await once(server.#http.listen(0, "127.0.0.1"), "listening");
    return server;
  }

  private constructor() {
    this.#http.on("upgrade", (request, tcp, head: Buffer) => {
      this.#asked = { request, tcp, head };
      const offer = request.headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim());
      const step: WireStep = { from: "client", connect: request.url ?? "" };
      this.#steps.push(offer === undefined ? step : { ...step, offer });
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** Whether there is a connection that neither end has closed. */
  get isOpen(): boolean {
    return this.#socket?.readyState === 1;
  }

  /** What the client says next. */
  read(): Promise<WireStep | undefined> {
    return this.#steps.next();
  }

  write(step: WireStep, known: Known): void {
    if ("accept" in step) this.#accept(step.accept);
    else if ("refuse" in step) this.#asked?.tcp.end(`HTTP/1.1 ${step.refuse} Refused\r\nContent-Length: 0\r\n\r\n`);
    else if ("close" in step && step.close === NO_CODE) this.#socket?.close();
    else if ("close" in step) this.#socket?.close(step.close, step.reason);
    else if ("cut" in step) this.#cut();
    else this.#socket?.send(messageOf(step, this.#socket.protocol, known));
  }

  async stop(): Promise<void> {
    this.#cut();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }

  #accept(subprotocol: string): void {
    if (this.#asked === undefined) throw new Error("Nobody has asked to be accepted.");
    const { request, tcp, head } = this.#asked;
    const upgrader = new WebSocketServer({ noServer: true, handleProtocols: () => subprotocol || false });
    upgrader.handleUpgrade(request, tcp, head, (socket) => {
      this.#socket = socket;
      socket.on("message", (data: Buffer, isBinary) => {
        this.#steps.push(stepOf("client", isBinary ? data : data.toString(), socket.protocol));
      });
      socket.on("error", () => {});
      socket.on("close", (code, reason) => {
        this.#steps.push(
          code === 1006 ? { from: "client", cut: true } : { from: "client", close: code, reason: reason.toString() },
        );
      });
    });
  }

  /** What the client then does is no answer. */
  #cut(): void {
    this.#socket?.removeAllListeners("close");
    this.#socket?.terminate();
  }
}
