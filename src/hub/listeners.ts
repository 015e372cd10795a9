import { checkCount, checkFunction } from "../checks/arguments.ts";
import { isThenable } from "../checks/is-thenable.ts";
import { HubError } from "../errors.ts";

/** Listeners of the events of `E`, which maps each event's name to the arguments its listeners get. */
export class Listeners<E extends { [K in keyof E]: readonly unknown[] }> {
  readonly #listeners: Map<keyof E, readonly Entry[]>;
  readonly #most: number;
  readonly #failed: (error: unknown, event: keyof E, args: readonly unknown[]) => void;

  /**
   * @param most - the most listeners that an event may have.
   * @param failed - is called for every listener that throws or rejects.
   */
  constructor(
    events: readonly (keyof E)[],
    most: number,
    failed: (error: unknown, event: keyof E, args: readonly unknown[]) => void,
  ) {
    this.#listeners = new Map(events.map((event) => [event, []]));
    this.#most = most;
    this.#failed = failed;
  }

  /**
   * Adds a listener.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT` for an unknown event, which would never happen; `ERR_HUB_LIMIT`.
   */
  add<K extends keyof E>(event: K, listener: (...args: E[K]) => unknown, once: boolean): void {
    const entries = this.#listeners.get(event);
    if (entries === undefined) {
      const events = [...this.#listeners.keys()].join(", ");
      throw new HubError(
        "ERR_HUB_ARGUMENT",
        `A hub has no event "${String(event)}", only ${events}. What clients send is handled with ` +
          `hub.handle("${String(event)}", (data, socket) => ...).`,
      );
    }
    checkFunction(listener, "A listener");
    checkCount(entries.length, this.#most, `listeners of "${String(event)}"`);
    this.#listeners.set(event, [...entries, { listener: listener as Entry["listener"], once }]);
  }

  /** Removes a listener: of equal ones, the one that was added last. */
  remove<K extends keyof E>(event: K, listener: (...args: E[K]) => unknown): void {
    const last = this.#listeners.get(event)?.findLast((entry) => entry.listener === listener);
    if (last !== undefined) this.#forget(event, last);
  }

  /** Returns whether the event has a listener. */
  has(event: keyof E): boolean {
    return (this.#listeners.get(event)?.length ?? 0) > 0;
  }

  #forget(event: keyof E, entry: Entry): void {
    const entries = this.#listeners.get(event) ?? [];
    this.#listeners.set(
      event,
      entries.filter((other) => other !== entry),
    );
  }

  /** Calls the present listeners in the order in which they were added. One that fails does not stop the next. */
  dispatch<K extends keyof E>(event: K, ...args: E[K]): void {
    this.#call(this.#listeners.get(event) ?? [], event, args);
  }

  /**
   * Returns a function that dispatches what has happened now: it calls the present listeners, but for those that have
   * been removed when it is called.
   */
  dispatcherOf<K extends keyof E>(event: K, ...args: E[K]): () => void {
    const entries = this.#listeners.get(event) ?? [];
    return () => {
      const present = this.#listeners.get(event) ?? [];
      const left = present === entries ? entries : entries.filter((entry) => present.includes(entry));
      this.#call(left, event, args);
    };
  }

  #call(entries: readonly Entry[], event: keyof E, args: readonly unknown[]): void {
    for (const entry of entries) {
      const { listener, once } = entry;
      if (once) this.#forget(event, entry);
      attempt(
        () => listener(...args),
        (error) => this.#failed(error, event, args),
      );
    }
  }
}

interface Entry {
  readonly listener: (...args: readonly unknown[]) => unknown;
  readonly once: boolean;
}

/** Runs `action`. What it throws, or its promise rejects with, goes to `failed`. */
function attempt(action: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = action();
    // A native promise calls back once, whatever a foreign one does.
    if (isThenable(result)) Promise.resolve(result).catch(failed);
  } catch (error) {
    failed(error);
  }
}
