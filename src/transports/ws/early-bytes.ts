import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";

/**
 * Bytes that a client sends while its upgrade is being decided.
 *
 * They are read so that the end of the connection is noticed: only a reader sees the end of a stream. A client that
 * sends more than the limit before it is answered is disconnected.
 */
export class EarlyBytes {
  readonly #socket: Duplex;
  readonly #chunks: Buffer[];
  readonly #limit: number;
  readonly #gone: () => void;
  #length: number;

  /** @param gone - called when the client has disconnected: at most once, and not after {@link take}. */
  constructor(socket: Duplex, head: Buffer, limit: number, gone: () => void) {
    this.#socket = socket;
    this.#chunks = [head];
    this.#length = head.length;
    this.#limit = limit;
    this.#gone = gone;
    socket.on("data", this.#data).on("end", this.#end).on("error", this.#end).on("close", this.#close);
  }

  /** Stops reading and returns the bytes that came so far. */
  take(): Buffer {
    this.#release();
    return Buffer.concat(this.#chunks);
  }

  #release(): void {
    this.#socket.off("data", this.#data).off("end", this.#end).off("error", this.#end).off("close", this.#close);
  }

  readonly #data = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length > this.#limit) this.#socket.destroy();
  };

  readonly #end = (): void => {
    this.#socket.destroy();
  };

  readonly #close = (): void => {
    this.#release();
    this.#gone();
  };
}
