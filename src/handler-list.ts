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
