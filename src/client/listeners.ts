import { checkFunction, checkName, HEARD } from "./arguments.ts";
import { ClientError, messageOf } from "./errors.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- functions of all kinds are kept here, and each knows its own
export type AnyListener = (...args: any[]) => unknown;

interface ListenerEntry {
  readonly event: string;
  readonly listener: AnyListener;
  readonly once: boolean;
  /** The room whose events alone it gets. */
  readonly room: string | undefined;
}

/** The client's listeners. Adding or removing one while an event is dispatched takes effect from the next. */
export class ClientListeners {
  #entries: readonly ListenerEntry[] = [];
  readonly #queue: (() => void)[] = [];

  /** @throws {ClientError} `ERR_CLIENT_ARGUMENT`. */
  add(event: string, listener: AnyListener, once: boolean, room?: string): void {
    checkName(event, HEARD);
    checkFunction(listener);
    this.#entries = [...this.#entries, { event, listener, once, room }];
  }

  /** Removes the listener. If it was added several times, this removes the last one. */
  remove(event: string, listener: AnyListener, room?: string): void {
    this.#without(
      this.#entries.findLast((entry) => entry.event === event && entry.listener === listener && entry.room === room),
    );
  }

  /**
   * Calls the listeners now or, during another dispatch, after that one: all listeners get all events in the same
   * order. A listener that throws or rejects does not stop the others.
   *
   * @param room - the room of the event, whose own listeners are called, too.
   */
  dispatch(event: string, data: unknown, room?: string, past = false): void {
    this.#queue.push(() => {
      for (const entry of this.#entries) {
        if (entry.event !== event || (entry.room && entry.room !== room)) continue;
        if (entry.once) this.#without(entry);
        // The listener is called synchronously, but what it throws becomes a rejection, like that of its promise.
        (async () => entry.listener(data, { event, past, room }))().catch((cause) => this.failed(cause, event));
      }
    });
    if (this.#queue.length > 1) return;
    for (const call of this.#queue) call();
    this.#queue.length = 0;
  }

  /** Dispatches an error that has no caller to throw to as `hub:error`. */
  readonly report = (error: unknown): void => this.dispatch("hub:error", error);

  /**
   * Reports what a listener or a handler threw. Without a listener of `hub:error`, and from one of these, it becomes an
   * uncaught error.
   */
  failed(cause: unknown, event?: string): void {
    if (event !== "hub:error" && this.#entries.some((entry) => entry.event === "hub:error"))
      this.report(new ClientError("ERR_CLIENT_LISTENER", `A listener failed: ${messageOf(cause)}`, { cause }));
    else
      // In a microtask it interrupts nothing, and the platform reports it.
      queueMicrotask(() => {
        throw cause;
      });
  }

  #without(entry: ListenerEntry | undefined): void {
    this.#entries = this.#entries.filter((other) => other !== entry);
  }
}
