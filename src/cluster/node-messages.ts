import { checkCount, checkFunction } from "../checks/arguments.ts";
import { watch } from "../guard.ts";
import { HandlerList } from "../handler-list.ts";
import type { ErrorReport } from "../report.ts";
import type { NodeDescription } from "./nodes.ts";

/** Handles a message of the program on another node. */
export type NodeMessageHandler = (data: unknown, node: NodeDescription) => unknown;

/** The handlers of `hub.onNode`: for messages of the application's own programs on other nodes. */
export class NodeMessages {
  readonly #handlers = new Map<string, HandlerList<NodeMessageHandler>>();
  readonly #most: number;
  readonly #report: ErrorReport;

  /** @param most - the most handlers that an event may have. */
  constructor(most: number, report: ErrorReport) {
    this.#most = most;
    this.#report = report;
  }

  /**
   * Adds a handler of an event.
   *
   * @returns a function that removes the handler.
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_LIMIT`.
   */
  add(event: string, handler: NodeMessageHandler): () => void {
    checkFunction(handler, "A handler");
    const handlers = this.#handlers.get(event) ?? new HandlerList();
    checkCount(handlers.all.length, this.#most, `handlers of "${event}" from other nodes`);
    this.#handlers.set(event, handlers);
    const remove = handlers.add(handler);
    return () => {
      remove();
      if (handlers.all.length === 0 && this.#handlers.get(event) === handlers) this.#handlers.delete(event);
    };
  }

  /** Calls the handlers of a message. One that fails does not stop the next. */
  dispatch(event: string, data: unknown, node: NodeDescription): void {
    for (const handler of this.#handlers.get(event)?.all ?? []) {
      watch(this.#report, this.#call(handler, event, data, node));
    }
  }

  async #call(handler: NodeMessageHandler, event: string, data: unknown, node: NodeDescription): Promise<void> {
    try {
      await handler(data, node);
    } catch (error) {
      this.#report.failed(error, "node", { event });
    }
  }
}
