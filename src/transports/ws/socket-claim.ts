import type { Socket as TcpSocket } from "node:net";

/**
 * The TCP socket of a client that the hub is about to answer. All listeners for `upgrade` get the same socket, and
 * nothing in Node.js keeps two of them from answering.
 */
export class SocketClaim {
  readonly tcp: TcpSocket;
  readonly #mayBeAnswered: boolean;
  readonly #bytesWritten: number;

  /**
   * Whatever the application does to a socket that it may answer does not end the process.
   *
   * @param mayBeAnswered - whether the application may answer the client, too.
   */
  constructor(tcp: TcpSocket, mayBeAnswered: boolean) {
    this.tcp = tcp;
    this.#mayBeAnswered = mayBeAnswered;
    this.#bytesWritten = tcp.bytesWritten;
    if (mayBeAnswered) tcp.on("error", ignore);
  }

  /** Whether the application has answered the client. Then the connection is the application's. */
  get isLost(): boolean {
    return this.#mayBeAnswered && (this.tcp.writableEnded || this.tcp.bytesWritten !== this.#bytesWritten);
  }
}

function ignore(): void {}
