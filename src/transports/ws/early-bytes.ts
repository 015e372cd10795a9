import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";

/**
 * Holds what a client sends while its upgrade is being decided, and notices when it goes away.
 *
 * The socket has to be read for that: the end of a stream is only seen by a reader. A client that sends more than it may
 * before it was answered is cut off.
 */
export class EarlyBytes {
  readonly #socket: Duplex;
  readonly #chunks: Buffer[];
  readonly #most: number;
  readonly #gone: () => void;
  #length: number;

  /** `gone` is called at most once, and not after {@link take}. */
  constructor(socket: Duplex, head: Buffer, most: number, gone: () => void) {
    this.#socket = socket;
    this.#chunks = [head];
    this.#length = head.length;
    this.#most = most;
    this.#gone = gone;
    socket.on("data", this.#data).on("end", this.#end).on("error", this.#end).on("close", this.#close);
  }

  /** Stops holding and returns what came so far. */
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
    if (this.#length > this.#most) this.#socket.destroy();
  };

  readonly #end = (): void => {
    this.#socket.destroy();
  };

  readonly #close = (): void => {
    this.#release();
    this.#gone();
  };
}
