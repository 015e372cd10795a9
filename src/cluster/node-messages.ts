import { setMaxListeners } from "node:events";
import { checkCount, checkFunction } from "../checks/arguments.ts";
import { HubError } from "../errors.ts";
import { watch } from "../guard.ts";
import { HandlerList, HandlerSlots } from "../handler-list.ts";
import type { HandlerContext } from "../members/handler-context.ts";
import type { ErrorReport } from "../report.ts";
import type { NodeDescription } from "./nodes.ts";

/** Handles a message of the program on another node. What it returns answers a request. */
export type NodeMessageHandler = (data: unknown, node: NodeDescription, context: HandlerContext) => unknown;

/** The handlers of `hub.onNode` and `hub.handleNode`: for messages of the application's own programs on other nodes. */
export class NodeMessages {
  readonly #handlers = new Map<string, HandlerList<NodeMessageHandler>>();
  /** The handlers of `hub.handleNode`, one for each event. They are among the others, too. */
  readonly #answering = new HandlerSlots<NodeMessageHandler>();
  /** Aborted at the end of this node. */
  readonly #end = new AbortController();
  readonly #most: number;
  readonly #report: ErrorReport;

  /** @param most - the most handlers that an event may have. */
  constructor(most: number, report: ErrorReport) {
    this.#most = most;
    this.#report = report;
    // Any number of handlers may listen to the one signal of all messages.
    setMaxListeners(0, this.#end.signal);
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

  /**
   * Adds the handler that answers the requests of an event.
   *
   * @returns a function that removes the handler.
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_LIMIT`, `ERR_HUB_HANDLED`.
   */
  handle(event: string, handler: NodeMessageHandler): () => void {
    if (this.#answering.has(event)) {
      throw new HubError(
        "ERR_HUB_HANDLED",
        `The hub handles "${event}" of other nodes already. Remove the first handler or combine them.`,
      );
    }
    const remove = this.add(event, handler);
    const removeAnswering = this.#answering.add(event, handler);
    return () => {
      remove();
      removeAnswering();
    };
  }

  /** Returns the handler that answers the requests of an event. */
  answering(event: string): NodeMessageHandler | undefined {
    return this.#answering.get(event);
  }

  /** Calls the handlers of a message. One that fails does not stop the next. */
  dispatch(event: string, data: unknown, node: NodeDescription): void {
    for (const handler of this.#handlers.get(event)?.all ?? []) {
      watch(this.#report, this.#call(handler, event, data, node));
    }
  }

  /** Lets the handlers know that this node ends. */
  stop(): void {
    this.#end.abort();
  }

  async #call(handler: NodeMessageHandler, event: string, data: unknown, node: NodeDescription): Promise<void> {
    try {
      await handler(data, node, { signal: this.#end.signal });
    } catch (error) {
      this.#report.failed(error, "node", { event });
    }
  }
}
