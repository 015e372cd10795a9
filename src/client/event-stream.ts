import { ClientError } from "./errors.ts";

/** Events one after the other, for a loop that takes its time. */
export class EventStream<V> implements AsyncIterableIterator<V, undefined> {
  readonly #maxBuffered: number;
  readonly #left: () => void;
  readonly #buffer: V[] = [];
  readonly #waiting: Waiting<V>[] = [];
  #over = false;
  #error: ClientError | undefined;

  /** `left` is called once, when nothing more will be taken. */
  constructor(maxBuffered: number, left: () => void) {
    this.#maxBuffered = maxBuffered;
    this.#left = left;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(value: V): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve({ value, done: false });
    else if (this.#buffer.length < this.#maxBuffered) this.#buffer.push(value);
    else this.end(new ClientError("ERR_CLIENT_OVERFLOW", `More than ${this.#maxBuffered} events wait to be taken.`));
  }

  /** What has come is still handed out; then the loop ends, or fails. */
  end(error?: ClientError): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#left();
    for (const { resolve } of this.#waiting.splice(0)) resolve(DONE);
  }

  next(): Promise<IteratorResult<V, undefined>> {
    if (this.#buffer.length > 0) return Promise.resolve({ value: this.#buffer.shift() as V, done: false });
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#over) return Promise.resolve(DONE);
    return new Promise((resolve) => {
      this.#waiting.push({ resolve });
    });
  }

  return(): Promise<IteratorResult<V, undefined>> {
    this.#buffer.length = 0;
    this.end();
    this.#error = undefined;
    return Promise.resolve(DONE);
  }
}

const DONE = { value: undefined, done: true } as const;

interface Waiting<V> {
  readonly resolve: (result: IteratorResult<V, undefined>) => void;
}
