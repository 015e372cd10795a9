/** Listeners by event. Those who are added or removed while an event is dispatched are affected by the next one. */
export class Listeners {
  readonly #entries = new Map<string, readonly Entry[]>();
  readonly #queue: (() => void)[] = [];

  add(event: string, listener: Listener, once: boolean): void {
    this.#entries.set(event, [...(this.#entries.get(event) ?? []), { listener, once }]);
  }

  /** Removes the one that was added last among equal ones. */
  remove(event: string, listener: Listener): void {
    const entries = this.#entries.get(event) ?? [];
    this.#without(
      event,
      entries.findLast((entry) => entry.listener === listener),
    );
  }

  has(event: string): boolean {
    return this.#entries.has(event);
  }

  /**
   * Calls the listeners now or, from inside of one, after the others: all of them hear everything in the same order.
   *
   * `failed` hears of every one that throws or rejects; the others are called all the same.
   */
  dispatch(event: string, args: readonly unknown[], failed: (error: unknown) => void): void {
    this.#queue.push(() => {
      for (const entry of this.#entries.get(event) ?? []) {
        if (entry.once) this.#without(event, entry);
        // Called now; but what it throws is a rejection, like what its promise rejects with.
        (async () => entry.listener(...args))().catch(failed);
      }
    });
    if (this.#queue.length > 1) return;
    for (const call of this.#queue) call();
    this.#queue.length = 0;
  }

  #without(event: string, entry: Entry | undefined): void {
    const rest = (this.#entries.get(event) ?? []).filter((other) => other !== entry);
    if (rest.length > 0) this.#entries.set(event, rest);
    else this.#entries.delete(event);
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- listeners of all kinds are kept here, and each knows its own
export type Listener = (...args: any[]) => unknown;

interface Entry {
  readonly listener: Listener;
  readonly once: boolean;
}
