import type { Buffer } from "node:buffer";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import type { EventPacket, Packet, Welcome } from "../../src/protocol/packet.ts";
import { Inbox } from "../../src/testing/inbox.ts";

/** How a connection ended. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A connection as the server sees it. The client's messages are queued, so that a test can miss none. */
export class Peer {
  readonly request: IncomingMessage;
  readonly closed: Promise<Closed>;
  readonly #socket: WebSocket;
  readonly #received = new Inbox<unknown>();

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.request = request;
    this.#socket = socket;
    socket.on("message", (data: Buffer, isBinary) => this.#received.push(isBinary ? data : parsed(data.toString())));
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#received.end();
      });
    });
  }

  /** The client's next message: a packet, bytes, or text that is not a packet; `undefined` after the end. */
  next(): Promise<unknown> {
    return this.#received.next();
  }

  /** The client's next message, which is a request. */
  async asked(): Promise<EventPacket & { readonly id: number }> {
    return (await this.next()) as EventPacket & { readonly id: number };
  }

  /** Everything that the client has sent by now. The answer to a ping proves that nothing else was on its way. */
  async rest(): Promise<readonly unknown[]> {
    this.send({ event: "hub:ping" });
    const packets: unknown[] = [];
    for (let packet = await this.next(); packet !== undefined; packet = await this.next()) {
      if ((packet as Partial<EventPacket>).event === "hub:pong") return packets;
      packets.push(packet);
    }
    return packets;
  }

  send(packet: Packet): void {
    this.sendRaw(JSON.stringify(packet));
  }

  sendRaw(message: string | Uint8Array): void {
    this.#socket.send(message);
  }

  welcome(welcome: Partial<Welcome> = {}): void {
    this.send({ event: "hub:welcome", data: { id: "id", protocol: 1, heartbeat: 0, timeout: 0, ...welcome } });
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  /** Ends the connection without a close frame. */
  cut(): void {
    this.#socket.terminate();
  }

  /** Stops reading and answering. */
  freeze(): void {
    this.#socket.pause();
  }
}

/** A server that speaks the subprotocol and sends only what a test tells it to send. */
export class ScriptedServer {
  readonly #server: WebSocketServer;
  readonly #peers = new Inbox<Peer>();

  static async start(protocol = "roomcast.v1.json"): Promise<ScriptedServer> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => protocol });
    await once(server, "listening");
    return new ScriptedServer(server);
  }

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket, request) => this.#peers.push(new Peer(socket, request)));
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next connection, on which nothing has been said. */
  async accept(): Promise<Peer> {
    const peer = await this.#peers.next();
    if (peer === undefined) throw new Error("The server was stopped.");
    return peer;
  }

  /** The next connection, after hello and welcome. */
  async admit(welcome?: Partial<Welcome>): Promise<Peer> {
    const peer = await this.accept();
    await peer.next();
    peer.welcome(welcome);
    return peer;
  }

  async stop(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
    this.#peers.end();
    await once(this.#server, "close");
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
