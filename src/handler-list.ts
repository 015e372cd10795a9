/**
 * Handlers in the order in which they were added. Each addition is an entry of its own, also of a function that is in
 * the list already, and is removed by its own remover alone, however often that is called.
 */
export class HandlerList<H> {
  #entries: readonly { readonly handler: H }[] = [];
  #handlers: readonly H[] = [];

  /** Adds a handler. Returns a function that removes it. */
  add(handler: H): () => void {
    const entry = { handler };
    this.#set([...this.#entries, entry]);
    return () => this.#set(this.#entries.filter((other) => other !== entry));
  }

  /** The handlers that are in the list now. This array does not follow later changes of the list. */
  get all(): readonly H[] {
    return this.#handlers;
  }

  #set(entries: readonly { readonly handler: H }[]): void {
    this.#entries = entries;
    this.#handlers = entries.map(({ handler }) => handler);
  }
}

/** Handlers by name, one for each. Each is removed by its own remover alone, however often that is called. */
export class HandlerSlots<H> {
  readonly #entries = new Map<string, { readonly handler: H }>();

  /** Adds the handler of a name that has none. Returns a function that removes it, and never one that was added later. */
  add(name: string, handler: H): () => void {
    const entry = { handler };
    this.#entries.set(name, entry);
    return () => {
      if (this.#entries.get(name) === entry) this.#entries.delete(name);
    };
  }

  get(name: string): H | undefined {
    return this.#entries.get(name)?.handler;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }
}
