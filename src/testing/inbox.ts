/** A queue of items and of callers that wait for them: each call of {@link next} gets the next item, in order. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T | undefined) => void)[] = [];
  #ended = false;

  /** Adds an item. */
  push(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#items.push(item);
    else waiting(item);
  }

  /** Ends the queue: no more items will be added. */
  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting(undefined);
  }

  /** Waits for the next item. The result is `undefined` once the queue has ended and all items were handed out. */
  next(): Promise<T | undefined> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Takes all items that are in the queue now, without waiting. */
  take(): T[] {
    return this.#items.splice(0);
  }
}
