import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { createConnection, type Socket as TcpSocket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { within } from "./patience.ts";
import { Transcript } from "./transcript.ts";

/** How a connection ended, seen from its client. */
export type End = "fin" | "reset";

let count = 0;

/** Each client has an address of its own, because the server remembers what was done from an address. */
function nextAddress(): string {
  const number = count++;
  return `127.${(number % 250) + 1}.${Math.floor(number / 250) % 250}.${Math.floor(number / 62_500) % 250}`;
}

/** The hostile client's end of a TCP connection. */
export class Peer {
  readonly transcript: Transcript = new Transcript();
  readonly #tcp: TcpSocket;
  #end: End | undefined;
  #wake: () => void = () => {};

  static async connect(port: number): Promise<Peer> {
    const localAddress = nextAddress();
    const tcp = createConnection({ port, host: "127.0.0.1", localAddress, allowHalfOpen: true, noDelay: true });
    const peer = new Peer(tcp);
    await once(tcp, "connect");
    return peer;
  }

  private constructor(tcp: TcpSocket) {
    this.#tcp = tcp;
    tcp.on("data", (chunk) => {
      this.transcript.read(chunk);
      this.#wake();
    });
    tcp.on("end", () => this.#ended("fin"));
    // Writing to a connection that the server has cut fails: that, too, is its end.
    tcp.on("error", () => this.#ended("reset"));
  }

  /** How the server has ended the connection, if it has. */
  get end(): End | undefined {
    return this.#end;
  }

  /** Writes the pieces one by one, so that the server can read each alone. */
  async write(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      this.#tcp.write(piece);
      if (pieces.length > 1) await turn();
    }
  }

  /** Resolves when it is so, or the server has ended the connection. */
  async until(isSo: (transcript: Transcript) => boolean, what: string): Promise<void> {
    const waiting = async (): Promise<void> => {
      while (this.#end === undefined && !isSo(this.transcript)) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    };
    await within(waiting(), what);
  }

  /** Resolves when the server has ended the connection. */
  ended(): Promise<void> {
    return this.until(() => false, "The server's end of a connection");
  }

  /** Sends FIN, and reads on. */
  finish(): void {
    this.#tcp.end();
  }

  /** Sends a reset. */
  vanish(): void {
    this.#tcp.resetAndDestroy();
    this.#ended("reset");
  }

  /** Leaves nothing behind. */
  release(): void {
    this.#tcp.destroy();
  }

  #ended(end: End): void {
    this.#end ??= end;
    this.#wake();
  }
}
