import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";

/** How many bytes a stream holds back by itself. The rest stays with the sender, as on a network. */
const MOST_HELD = 64 * 1024;

/** Bytes on their way, or (without any) the end of the stream, and when they are to arrive. */
interface Held {
  readonly due: number;
  readonly bytes: Buffer | undefined;
}

/** One direction of a connection, which delays, limits, stalls or swallows the bytes. They keep their order. */
export class ShapedStream {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #spent: () => void;
  readonly #held: Held[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #delay = 0;
  #left = Infinity;
  #stalled = false;
  #swallowing = false;

  /** `spent` is called when the bytes allowed by `allow` have passed. */
  constructor(from: Socket, to: Socket, spent: () => void) {
    this.#from = from;
    this.#to = to;
    this.#spent = spent;
    from.on("data", (bytes: Buffer) => this.#take(bytes));
    from.on("end", () => this.#take(undefined));
    to.on("drain", () => this.#regulate());
  }

  /** Holds everything for so many milliseconds from now on. */
  delay(ms: number): void {
    this.#delay = ms;
  }

  /** Lets so many more bytes pass. */
  allow(bytes: number): void {
    this.#left = bytes;
  }

  stall(): void {
    this.#stalled = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  resume(): void {
    this.#stalled = false;
    this.#release();
  }

  /** Whatever is held still arrives, and then the end. */
  end(): void {
    this.#take(undefined);
  }

  /** From now on takes everything, the end included, and passes nothing on. */
  swallow(): void {
    clearTimeout(this.#timer);
    this.#swallowing = true;
    this.#held.length = 0;
    this.#from.resume();
  }

  #take(bytes: Buffer | undefined): void {
    if (this.#swallowing) return;
    if (this.#delay === 0 && this.#held.length === 0 && !this.#stalled) {
      this.#pass(bytes);
    } else {
      this.#held.push({ due: performance.now() + this.#delay, bytes });
      this.#heldBytes += bytes?.length ?? 0;
      this.#arm();
    }
    this.#regulate();
  }

  #pass(bytes: Buffer | undefined): void {
    if (!this.#to.writable) return;
    if (bytes === undefined) {
      this.#to.end();
      return;
    }
    const part = bytes.subarray(0, this.#left);
    this.#left -= part.length;
    this.#to.write(part);
    if (this.#left === 0) this.#spent();
  }

  #arm(): void {
    const [first] = this.#held;
    if (first === undefined || this.#stalled || this.#swallowing) return;
    this.#timer ??= setTimeout(() => this.#release(), first.due - performance.now());
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = performance.now();
    for (let first = this.#held[0]; first !== undefined && first.due <= now; first = this.#held[0]) {
      this.#held.shift();
      this.#heldBytes -= first.bytes?.length ?? 0;
      this.#pass(first.bytes);
    }
    this.#arm();
    this.#regulate();
  }

  #regulate(): void {
    if (this.#swallowing) return;
    if (this.#heldBytes > MOST_HELD || this.#to.writableNeedDrain) this.#from.pause();
    else this.#from.resume();
  }
}
