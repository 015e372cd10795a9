import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A server that sends what it is told to, whether it makes sense or not. */
export class RawPeer {
  readonly port: number;
  /** The requests, in the order in which they came. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Map<number, Socket>();
  #wake: () => void = () => {};

  /** @param answer - to the request of a client whose accept token this is. */
  static async listen(answer: (accept: string) => string = accepted): Promise<RawPeer> {
    const server = createServer({ noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new RawPeer(server, answer);
  }

  private constructor(server: Server, answer: (accept: string) => string) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket) => {
      // A client that is destroyed resets what it has not read.
      socket.on("error", () => {});
      socket.once("data", (bytes) => {
        const request = bytes.toString();
        this.requests.push(request);
        this.#sockets.set(Number(/client=(\d+)/.exec(request)?.[1]), socket);
        const accept = acceptTokenFor(/Sec-WebSocket-Key: (.*)\r\n/.exec(request)?.[1] ?? "");
        // Frames may follow the head.
        socket.write(answer(accept), "latin1");
        this.#wake();
      });
    });
  }

  /** Resolves when a client has asked for the upgrade. */
  async asked(): Promise<void> {
    while (this.requests.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  socket(client: number): Socket {
    const socket = this.#sockets.get(client);
    if (socket === undefined) throw new Error(`Client ${client} has not come.`);
    return socket;
  }

  /** One piece after the other, with a turn of the event loop between them. */
  async send(client: number, pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      this.socket(client).write(piece);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** The answer of a server that does everything right, with these headers besides. */
export function accepted(accept: string, headers = ""): string {
  return `HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: ${accept}\r\n${headers}\r\n`;
}

/** The payload of a client's frame with a length of 7 bits. */
export function unmasked(frame: Buffer): string {
  const mask = frame.subarray(2, 6);
  return Buffer.from(frame.subarray(6).map((byte, index) => byte ^ (mask[index % 4] as number))).toString();
}

function acceptTokenFor(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}
