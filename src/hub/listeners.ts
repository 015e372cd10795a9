import { checkCount, checkFunction } from "../checks/arguments.ts";
import { HubError } from "../errors.ts";

/** Listeners of the events of `E`, which maps each event's name to the arguments its listeners get. */
export class Listeners<E extends { [K in keyof E]: readonly unknown[] }> {
  readonly #listeners: Map<keyof E, readonly Entry[]>;
  readonly #most: number;
  readonly #failed: (error: unknown, event: keyof E, args: readonly unknown[]) => void;

  /** `most` may listen to one event. `failed` hears of every listener that throws or rejects. */
  constructor(
    events: readonly (keyof E)[],
    most: number,
    failed: (error: unknown, event: keyof E, args: readonly unknown[]) => void,
  ) {
    this.#listeners = new Map(events.map((event) => [event, []]));
    this.#most = most;
    this.#failed = failed;
  }

  /** @throws {HubError} `ERR_HUB_ARGUMENT`: a misspelt event would never happen; `ERR_HUB_LIMIT`. */
  add<K extends keyof E>(event: K, listener: (...args: E[K]) => unknown, once: boolean): void {
    const entries = this.#listeners.get(event);
    if (entries === undefined) {
      const events = [...this.#listeners.keys()].join(", ");
      throw new HubError(
        "ERR_HUB_ARGUMENT",
        `A hub has no event "${String(event)}", only ${events}. What clients send goes to handle().`,
      );
    }
    checkFunction(listener, "A listener");
    checkCount(entries.length, this.#most, `listeners of "${String(event)}"`);
    this.#listeners.set(event, [...entries, { listener: listener as Entry["listener"], once }]);
  }

  /** Removes the listener that was added last among the equal ones. */
  remove<K extends keyof E>(event: K, listener: (...args: E[K]) => unknown): void {
    const last = this.#listeners.get(event)?.findLast((entry) => entry.listener === listener);
    if (last !== undefined) this.#forget(event, last);
  }

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

  /** Calls those who listen now, in the order in which they were added. One that fails does not stop the next. */
  dispatch<K extends keyof E>(event: K, ...args: E[K]): void {
    for (const entry of this.#listeners.get(event) ?? []) {
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

/** Runs `action`; whatever it throws, or the promise it returns rejects with, goes to `failed`. */
function attempt(action: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = action();
    // A promise of ours calls back once, whatever theirs does.
    if (isThenable(result)) Promise.resolve(result).catch(failed);
  } catch (error) {
    failed(error);
  }
}

/** Whether `value` is a promise, of whatever library. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";
}
