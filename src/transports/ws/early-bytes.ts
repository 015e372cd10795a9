import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";

/** The size of the memory that the first bytes are copied into. */
const LEAST_BYTES = 4 * 1024;

/** The number of bytes that a client may send before it is answered. */
const MOST_BYTES = 64 * 1024;

/**
 * Bytes that a client sends while its upgrade is being decided.
 *
 * They are read so that the end of the connection is noticed: only a reader sees the end of a stream. A client that
 * sends more than 64 KiB before it is answered is disconnected.
 */
export class EarlyBytes {
  readonly #socket: Duplex;
  readonly #gone: () => void;
  /** The bytes in one piece, because each chunk that is kept weighs a hundred bytes more than it brings. */
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  /** @param gone - called when the client has disconnected: at most once, and not after {@link take}. */
  constructor(socket: Duplex, head: Buffer, gone: () => void) {
    this.#socket = socket;
    this.#gone = gone;
    socket.on("data", this.#data).on("end", this.#end).on("error", this.#end).on("close", this.#close);
    if (head.length > 0) this.#data(head);
  }

  /** Stops reading and returns the bytes that came so far. */
  take(): Buffer {
    this.#release();
    return this.#bytes.subarray(0, this.#length);
  }

  #release(): void {
    this.#socket.off("data", this.#data).off("end", this.#end).off("error", this.#end).off("close", this.#close);
  }

  readonly #data = (chunk: Buffer): void => {
    const length = this.#length + chunk.length;
    if (length > MOST_BYTES) {
      this.#socket.destroy();
      return;
    }
    if (length > this.#bytes.length) {
      let size = Math.max(this.#bytes.length, LEAST_BYTES);
      while (size < length) size *= 2;
      const larger = Buffer.allocUnsafeSlow(size);
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.#length);
    this.#length = length;
  };

  readonly #end = (): void => {
    this.#socket.destroy();
  };

  readonly #close = (): void => {
    this.#release();
    // The decision may take its time.
    this.#bytes = Buffer.alloc(0);
    this.#gone();
  };
}
