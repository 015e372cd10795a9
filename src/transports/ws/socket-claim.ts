import type { Socket as TcpSocket } from "node:net";

/**
 * The TCP socket of a client that the hub is about to answer. All listeners for `upgrade` get the same socket, and
 * nothing in Node.js keeps two of them from answering.
 */
export class SocketClaim {
  readonly tcp: TcpSocket;
  readonly #bytesWritten: number;

  constructor(tcp: TcpSocket) {
    this.tcp = tcp;
    this.#bytesWritten = tcp.bytesWritten;
  }

  /** Whether somebody else has answered the client. */
  get isLost(): boolean {
    return this.tcp.writableEnded || this.tcp.bytesWritten !== this.#bytesWritten;
  }
}
