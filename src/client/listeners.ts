import { checkFunction, checkName, HEARD } from "./arguments.ts";
import { ClientError, messageOf } from "./errors.ts";
import type { EventContext } from "./events.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- functions of all kinds are kept here, and each knows its own
export type AnyListener = (...args: any[]) => unknown;

interface ListenerEntry {
  readonly listener: AnyListener;
  readonly once: boolean;
}

/** The client's listeners, by event. Adding or removing one while an event is dispatched takes effect from the next. */
export class ClientListeners {
  readonly #entries = new Map<string, readonly ListenerEntry[]>();
  readonly #queue: (() => void)[] = [];

  /** @throws {ClientError} `ERR_CLIENT_ARGUMENT`. */
  add(event: string, listener: AnyListener, once: boolean, room?: string): void {
    checkName(event, HEARD);
    checkFunction(listener);
    const key = inRoom(event, room);
    this.#entries.set(key, [...(this.#entries.get(key) ?? []), { listener, once }]);
  }

  /** Removes the listener. If it was added several times, this removes the last one. */
  remove(event: string, listener: AnyListener, room?: string): void {
    const key = inRoom(event, room);
    const last = this.#entries.get(key)?.findLast((entry) => entry.listener === listener);
    this.#without(key, last);
  }

  /**
   * Calls the listeners now or, during another dispatch, after that one: all listeners get all events in the same
   * order. A listener that throws or rejects does not stop the others.
   */
  dispatch(event: string, data: unknown, context: EventContext = { event, room: undefined }): void {
    const failed = event === "hub:error" ? throwLater : this.failed;
    this.#queue.push(() => {
      for (const entry of this.#entries.get(event) ?? []) {
        if (entry.once) this.#without(event, entry);
        // The listener is called synchronously, but what it throws becomes a rejection, like that of its promise.
        (async () => entry.listener(data, context))().catch(failed);
      }
    });
    if (this.#queue.length > 1) return;
    for (const call of this.#queue) call();
    this.#queue.length = 0;
  }

  /** Dispatches an error that has no caller to throw to as `hub:error`. */
  readonly report = (error: unknown): void => this.dispatch("hub:error", error);

  /** Reports what a listener or a handler threw; without a listener of `hub:error` it becomes an uncaught error. */
  readonly failed = (cause: unknown): void => {
    if (!this.#entries.has("hub:error")) throwLater(cause);
    this.report(new ClientError("ERR_CLIENT_LISTENER", `A listener failed: ${messageOf(cause)}`, { cause }));
  };

  #without(event: string, entry: ListenerEntry | undefined): void {
    const rest = (this.#entries.get(event) ?? []).filter((other) => other !== entry);
    if (rest[0]) this.#entries.set(event, rest);
    else this.#entries.delete(event);
  }
}

/** Throws the error in a microtask, where it interrupts nothing and the platform reports it as uncaught. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/**
 * Returns the name under which the listeners of an event in a room are kept. No event of an application can have this
 * name.
 */
export function inRoom(event: string, room: string | undefined): string {
  return !room ? event : `hub:${JSON.stringify([event, room])}`;
}
