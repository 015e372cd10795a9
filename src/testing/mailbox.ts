interface Wait<T> {
  readonly wanted: (item: T) => boolean;
  readonly resolve: (item: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Keeps what comes until it is taken: the first that whoever asks wants, which need not be the first that is there. */
export class Mailbox<T> {
  readonly #items: T[] = [];
  readonly #waits: Wait<T>[] = [];
  #ending: (() => Error) | undefined;

  push(item: T): void {
    const index = this.#waits.findIndex(({ wanted }) => wanted(item));
    const [wait] = index === -1 ? [] : this.#waits.splice(index, 1);
    if (wait === undefined) this.#items.push(item);
    else wait.resolve(item);
  }

  /** Nothing more will come: whoever waits for it gets this error. What is there can still be taken. */
  end(ending: () => Error): void {
    this.#ending = ending;
    for (const { reject } of this.#waits.splice(0)) reject(ending());
  }

  /** The first wanted item, as soon as there is one. */
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
