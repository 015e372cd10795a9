import { HubError } from "../errors.ts";
import type { AnyHandler } from "../members/member.ts";
import { RESERVED_PREFIX } from "../protocol/packet.ts";

/** The handlers of `hub.handle`, one for each event, and that of `hub.handleAny`, for all sockets. */
export class Handlers {
  readonly #handlers = new Map<string, { readonly handler: AnyHandler<unknown> }>();
  /** The handler of events that have none. Its data is the name of the event and the data. */
  #fallback: { readonly handler: AnyHandler<unknown> } | undefined;

  get(event: string): AnyHandler<unknown> | undefined {
    return this.#handlers.get(event)?.handler ?? this.#fallbackOf(event);
  }

  /**
   * Adds the handler of an event.
   *
   * @returns a function that removes this handler, and never one that was added later.
   * @throws {HubError} `ERR_HUB_HANDLED`.
   */
  add(event: string, handler: AnyHandler<unknown>): () => void {
    if (this.#handlers.has(event)) {
      throw new HubError(
        "ERR_HUB_HANDLED",
        `The hub handles "${event}" already. Remove the first handler or combine them.`,
      );
    }
    const entry = { handler };
    this.#handlers.set(event, entry);
    return () => {
      if (this.#handlers.get(event) === entry) this.#handlers.delete(event);
    };
  }

  /**
   * Adds the handler of the application's events that have none, which gets `{ event, data }` for the data.
   *
   * @returns a function that removes this handler, and never one that was added later.
   * @throws {HubError} `ERR_HUB_HANDLED`.
   */
  addFallback(handler: AnyHandler<unknown>): () => void {
    if (this.#fallback !== undefined) {
      const message = "The hub has a handler of any event already. Remove the first handler or combine them.";
      throw new HubError("ERR_HUB_HANDLED", message);
    }
    const entry = { handler };
    this.#fallback = entry;
    return () => {
      if (this.#fallback === entry) this.#fallback = undefined;
    };
  }

  #fallbackOf(event: string): AnyHandler<unknown> | undefined {
    if (this.#fallback === undefined || event.startsWith(RESERVED_PREFIX)) return undefined;
    const { handler } = this.#fallback;
    return (data, socket, context) => handler({ event, data }, socket, context);
  }
}
