import { HubError } from "../errors.ts";
import { HandlerSlots } from "../handler-list.ts";
import type { AnyHandler } from "../members/member.ts";
import { RESERVED_PREFIX } from "../protocol/packet.ts";

/** The name of the only handler of any event. */
const ANY = "*";

/** The handlers of `hub.handle`, one for each event, and that of `hub.handleAny`, for all sockets. */
export class Handlers {
  readonly #handlers = new HandlerSlots<AnyHandler<unknown>>();
  /** The handler of events that have none, under {@link ANY}. Its data is the name of the event and the data. */
  readonly #fallback = new HandlerSlots<AnyHandler<unknown>>();

  get(event: string): AnyHandler<unknown> | undefined {
    return this.#handlers.get(event) ?? this.#fallbackOf(event);
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
    return this.#handlers.add(event, handler);
  }

  /**
   * Adds the handler of the application's events that have none, which gets `{ event, data }` for the data.
   *
   * @returns a function that removes this handler, and never one that was added later.
   * @throws {HubError} `ERR_HUB_HANDLED`.
   */
  addFallback(handler: AnyHandler<unknown>): () => void {
    if (this.#fallback.has(ANY)) {
      const message = "The hub has a handler of any event already. Remove the first handler or combine them.";
      throw new HubError("ERR_HUB_HANDLED", message);
    }
    return this.#fallback.add(ANY, handler);
  }

  #fallbackOf(event: string): AnyHandler<unknown> | undefined {
    const handler = this.#fallback.get(ANY);
    if (handler === undefined || event.startsWith(RESERVED_PREFIX)) return undefined;
    return (data, socket, context) => handler({ event, data }, socket, context);
  }
}
