interface Options {
  readonly signal?: AbortSignal;
}

/**
 * What a page offers to listen to, and Node does not.
 *
 * Not an `EventTarget`: the one of Node 20 loses track of signals, of which it has several, when garbage is collected.
 */
export class Page {
  readonly #listeners = new Map<() => void, string>();
  #asked = 0;

  /** How often it was listened to. */
  get asked(): number {
    return this.#asked;
  }

  /** The events that are listened to. */
  get listened(): readonly string[] {
    return [...this.#listeners.values()];
  }

  /** Stands in for the page, until the function is called that it returns. */
  open(): () => void {
    const addEventListener = (event: string, listener: () => void, { signal }: Options = {}): void => {
      this.#asked += 1;
      this.#listeners.set(listener, event);
      signal?.addEventListener("abort", () => this.#listeners.delete(listener));
    };
    const removeEventListener = (_: string, listener: () => void): void => void this.#listeners.delete(listener);
    Object.assign(globalThis, { addEventListener, removeEventListener });
    return () => {
      for (const name of ["addEventListener", "removeEventListener"]) Reflect.deleteProperty(globalThis, name);
    };
  }
}
