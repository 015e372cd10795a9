interface Wait<T> {
  readonly wanted: (item: T) => boolean;
  readonly resolve: (item: T) => void;
  readonly reject: (error: unknown) => void;
}

/** A store of items from which each caller takes the first item that it wants. Other items stay. */
export class Mailbox<T> {
  readonly #items: T[] = [];
  readonly #waits: Wait<T>[] = [];
  #ending: (() => Error) | undefined;

  /** Adds an item. */
  push(item: T): void {
    const index = this.#waits.findIndex(({ wanted }) => wanted(item));
    const [wait] = index === -1 ? [] : this.#waits.splice(index, 1);
    if (wait === undefined) this.#items.push(item);
    else wait.resolve(item);
  }

  /** Ends the mailbox: callers that wait get this error. Items that are in it can still be taken. */
  end(ending: () => Error): void {
    this.#ending = ending;
    for (const { reject } of this.#waits.splice(0)) reject(ending());
  }

  /** Waits for the first wanted item and takes it. */
  take(wanted: (item: T) => boolean): Promise<T> {
    const index = this.#items.findIndex(wanted);
    const [item] = index === -1 ? [] : this.#items.splice(index, 1);
    if (item !== undefined) return Promise.resolve(item);
    if (this.#ending !== undefined) return Promise.reject(this.#ending());
    return new Promise((resolve, reject) => {
      this.#waits.push({ wanted, resolve, reject });
    });
  }
}
