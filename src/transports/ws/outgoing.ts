import { Buffer } from "node:buffer";
import type { Writable } from "node:stream";

/** The size of portions while the operating system takes each at once, in bytes. */
const FIRST_PORTION = 256 * 1024;

/** The size of portions from the first on that the operating system did not take at once, in bytes. */
const PORTION = 64 * 1024;

/** The size of the memory that small runs share, because each by itself would cost a hundred bytes and a write. */
const SHARED_RUN = 4 * 1024;

/** The length below which a run is copied into memory that it shares. */
const SMALL_RUN = 1024;

/**
 * What waits for a client that reads slowly: runs of whole frames, handed to the TCP socket in portions.
 *
 * Node.js tells of a write only when its last byte was taken, so only small writes show that a client reads. A portion may
 * end in the middle of a frame. Nothing else may be written to the socket while something waits here.
 *
 * While something waits, a portion is under way, and `taken` will be called.
 */
export class Outgoing {
  readonly #stream: Writable;
  readonly #taken: () => void;
  #runs: Buffer[] = [];
  /** The number of bytes of the first run that were handed over. */
  #offset = 0;
  #byteLength = 0;
  /** The memory of the last run, while small runs may be added to it. */
  #shared: Buffer | undefined;
  #portion = FIRST_PORTION;
  /** The number of portions that are not taken yet. A flag would not do: Node.js emits `drain` before it calls back. */
  #underWay = 0;

  /** @param taken - called when the operating system has taken a portion. */
  constructor(stream: Writable, taken: () => void) {
    this.#stream = stream;
    this.#taken = taken;
  }

  /** The number of bytes that wait. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Whether something waits, or a portion is not taken yet. */
  get isUnderWay(): boolean {
    return this.#byteLength > 0 || this.#underWay > 0;
  }

  /** Adds a run of whole frames. Its bytes must not change any more. */
  push(run: Buffer): void {
    this.#byteLength += run.length;
    if (run.length < SMALL_RUN) this.#pushSmall(run);
    else {
      this.#shared = undefined;
      this.#runs.push(run);
    }
  }

  /** Hands over the next portions: one while none is under way, and as many as are taken at once. */
  pump(): void {
    const stream = this.#stream;
    while (this.#byteLength > 0 && (this.#underWay === 0 || stream.writableLength === 0)) {
      this.#handOver(this.#portion);
      if (stream.writableLength > 0) this.#portion = PORTION;
    }
  }

  /** Hands over all that waits, however slowly it is taken. */
  flush(): void {
    if (this.#byteLength > 0) this.#handOver(this.#byteLength);
  }

  /** Forgets all runs but the one that is handed over in part. */
  cut(): void {
    const [first] = this.#runs;
    const isUnderWay = first !== undefined && this.#offset > 0;
    this.#runs = isUnderWay ? [first] : [];
    this.#byteLength = isUnderWay ? first.length - this.#offset : 0;
    this.#shared = undefined;
  }

  #pushSmall(run: Buffer): void {
    const last = this.#runs.at(-1);
    if (this.#shared === undefined || last === undefined || last.length + run.length > SHARED_RUN) {
      this.#shared = Buffer.allocUnsafeSlow(SHARED_RUN);
      run.copy(this.#shared);
      this.#runs.push(this.#shared.subarray(0, run.length));
      return;
    }
    run.copy(this.#shared, last.length);
    this.#runs[this.#runs.length - 1] = this.#shared.subarray(0, last.length + run.length);
  }

  #handOver(most: number): void {
    const stream = this.#stream;
    const parts = this.#take(most);
    const last = parts.pop();
    this.#underWay++;
    // Several writes in a row would be taken one by one.
    if (parts.length > 0) stream.cork();
    for (const part of parts) stream.write(part);
    stream.write(last, this.#called);
    if (parts.length > 0) stream.uncork();
  }

  /** Takes the next bytes: as many, or all that wait if these are fewer. */
  #take(most: number): Buffer[] {
    const parts: Buffer[] = [];
    let left = Math.min(most, this.#byteLength);
    this.#byteLength -= left;
    let whole = 0;
    while (left > 0) {
      const run = this.#runs[whole] as Buffer;
      const part = run.subarray(this.#offset, this.#offset + left);
      parts.push(part);
      left -= part.length;
      this.#offset += part.length;
      if (this.#offset === run.length) {
        this.#offset = 0;
        whole++;
      }
    }
    this.#runs.splice(0, whole);
    if (this.#runs.length === 0) this.#shared = undefined;
    return parts;
  }

  readonly #called = (error?: Error | null): void => {
    this.#underWay--;
    // After an error the connection ends, and nobody waits for anything.
    if (error === undefined || error === null) this.#taken();
  };
}
