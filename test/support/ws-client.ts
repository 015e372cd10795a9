import { once } from "node:events";
import { WebSocket, type ClientOptions, type RawData } from "ws";

/** How a connection ended. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A plain client on `ws`. Received messages are queued, so that a test can miss none. */
export class WsClient {
  readonly closed: Promise<Closed>;
  readonly #socket: WebSocket;
  readonly #received: string[] = [];
  #wanted: (() => void) | undefined;

  /** Resolves when the handshake is through; rejects when it is refused. */
  static async connect(url: string, options: ClientOptions = {}, protocols: readonly string[] = []): Promise<WsClient> {
    const socket = new WebSocket(url, [...protocols], { perMessageDeflate: false, ...options });
    const client = new WsClient(socket);
    await once(socket, "open");
    return client;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: RawData) => {
      this.#received.push((data as Buffer).toString());
      this.#wanted?.();
    });
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#wanted?.();
      });
    });
  }

  /** The subprotocol that was agreed on; empty for none. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  /** The next message. A test proves that a message does not arrive by the message that arrives instead. */
  async next(): Promise<string> {
    for (;;) {
      const message = this.#received.shift();
      if (message !== undefined) return message;
      if (this.#socket.readyState === WebSocket.CLOSED) throw new Error("Closed while a message was awaited.");
      // oxlint-disable-next-line no-await-in-loop -- one message after the other is what is wanted
      await new Promise<void>((resolve) => {
        this.#wanted = resolve;
      });
    }
  }

  /** The next message, as JSON. */
  async nextJson(): Promise<unknown> {
    return JSON.parse(await this.next());
  }

  send(message: unknown): void {
    const raw = typeof message === "string" || message instanceof Uint8Array;
    this.#socket.send(raw ? message : JSON.stringify(message));
  }

  /** Ends the connection without a close frame. */
  vanish(): void {
    this.#socket.terminate();
  }

  async close(code = 1000): Promise<Closed> {
    this.#socket.close(code);
    return this.closed;
  }
}

/** Resolves with the HTTP status of the answer to an upgrade, 101 if it is accepted. */
export async function upgradeStatus(url: string, options: ClientOptions = {}): Promise<number | undefined> {
  const socket = new WebSocket(url, options);
  const status = await new Promise<number | undefined>((resolve, reject) => {
    socket.once("open", () => resolve(101));
    socket.once("unexpected-response", (_, response) => resolve(response.statusCode));
    socket.on("error", reject);
  });
  socket.terminate();
  return status;
}
