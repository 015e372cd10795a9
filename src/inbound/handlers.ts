import { HubError } from "../errors.ts";
import type { AnyHandler } from "../members/member.ts";

/** The handlers of `hub.handle`: one for each event, for all sockets. */
export class Handlers {
  readonly #handlers = new Map<string, { readonly handler: AnyHandler<unknown> }>();

  get(event: string): AnyHandler<unknown> | undefined {
    return this.#handlers.get(event)?.handler;
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
}
