import { connect, type Socket } from "node:net";

const REQUEST =
  "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/**
 * Clients that only count what they are sent: raw TCP sockets that read into one shared buffer, so that the receiving end
 * is not the bottleneck.
 */
export class Receivers {
  readonly #sockets: Socket[] = [];
  #bytes = 0;
  #expected = Number.POSITIVE_INFINITY;
  #arrived: () => void = () => {};

  /** Opens `count` connections, one after the other in small groups. */
  async open(port: number, count: number): Promise<void> {
    const shared = Buffer.allocUnsafe(256 * 1024);
    while (this.#sockets.length < count) {
      const group = Array.from({ length: Math.min(50, count - this.#sockets.length) }, () => this.#open(port, shared));
      this.#sockets.push(...(await Promise.all(group)));
    }
  }

  /** Resolves when all together have received this many more bytes. */
  expect(bytes: number): Promise<void> {
    this.#expected = bytes;
    this.#bytes = 0;
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #open(port: number, shared: Buffer): Promise<Socket> {
    return new Promise((resolve, reject) => {
      let answered = false;
      const socket = connect({
        port,
        host: "127.0.0.1",
        onread: {
          buffer: shared,
          callback: (bytes) => {
            // The first read is the answer to the upgrade: nothing is broadcast before all are connected.
            if (answered) this.#count(bytes);
            else {
              answered = true;
              resolve(socket);
            }
            return true;
          },
        },
      });
      socket.once("error", reject);
      socket.write(REQUEST);
    });
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#expected) throw new Error("More arrived than was sent");
    if (this.#bytes === this.#expected) this.#arrived();
  }
}
