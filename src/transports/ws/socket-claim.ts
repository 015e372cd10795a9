import type { Socket as TcpSocket } from "node:net";

/**
 * The TCP socket of a client that the hub is about to answer. All listeners for `upgrade` get the same socket, and
 * nothing in Node.js keeps two of them from answering, nor the answer to an earlier request of the same client that did
 * not wait for it.
 */
export class SocketClaim {
  readonly tcp: TcpSocket;
  /** Whether code of the application's may answer the client. */
  readonly isShared: boolean;
  readonly #bytesWritten: number;

  constructor(tcp: TcpSocket, isShared: boolean) {
    this.tcp = tcp;
    this.isShared = isShared;
    this.#bytesWritten = tcp.bytesWritten;
  }

  /** Whether the client was answered, but not by the hub. */
  get isLost(): boolean {
    return this.tcp.writableEnded || this.tcp.bytesWritten !== this.#bytesWritten;
  }
}
