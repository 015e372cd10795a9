import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";

type Callback = (error?: Error | null) => void;

/**
 * The server's end of a connection, with the buffer of an operating system between it and the client: this takes at once
 * what has room, and the rest of a write when the client reads. A write is over when its last byte is taken.
 */
export class NarrowStream extends Duplex {
  /** Every byte that the server has written, in the sizes in which it was handed over. */
  readonly writes: Buffer[] = [];
  readonly #room: number;
  /** Whether writes end in a later turn even if they are taken at once, as over TLS. */
  readonly #isLate: boolean;
  #held: Buffer = Buffer.alloc(0);
  #waiting: Buffer = Buffer.alloc(0);
  #callback: Callback | undefined;

  /** @param room - the number of bytes that are taken without a reader. */
  constructor(room: number, { isLate = false }: { readonly isLate?: boolean } = {}) {
    super({ allowHalfOpen: true });
    this.#room = room;
    this.#isLate = isLate;
  }

  /** The number of bytes that were written, but not taken. */
  get untaken(): number {
    return this.#waiting.length;
  }

  /** Reads as many bytes as there are, at most so many. */
  clientReads(most: number): Buffer {
    const there = Buffer.concat([this.#held, this.#waiting]);
    const taken = there.subarray(0, most);
    const missing = Math.max(0, taken.length - this.#held.length);
    this.#held = this.#held.subarray(taken.length - missing);
    this.#waiting = this.#waiting.subarray(missing);
    this.#fill();
    return taken;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: unknown, callback: Callback): void {
    this.#begin(chunk, callback);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: Callback): void {
    this.#begin(Buffer.concat(chunks.map(({ chunk }) => chunk)), callback);
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#callback = undefined;
    callback(error);
  }

  #begin(bytes: Buffer, callback: Callback): void {
    this.writes.push(bytes);
    this.#waiting = bytes;
    this.#callback = callback;
    if (this.#isLate) setImmediate(() => this.#fill());
    else this.#fill();
  }

  #fill(): void {
    const taken = this.#waiting.subarray(0, Math.max(0, this.#room - this.#held.length));
    if (taken.length > 0) this.#held = Buffer.concat([this.#held, taken]);
    this.#waiting = this.#waiting.subarray(taken.length);
    const callback = this.#callback;
    if (this.#waiting.length > 0 || callback === undefined) return;
    this.#callback = undefined;
    callback();
  }
}
