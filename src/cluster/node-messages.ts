import { checkCount, checkFunction } from "../checks/arguments.ts";
import type { NodeDescription } from "./nodes.ts";

/** What the application does with a message of another node. */
export type NodeMessageHandler = (data: unknown, node: NodeDescription) => unknown;

/** What the application wants to hear of what its own programs on other nodes send. */
export class NodeMessages {
  readonly #handlers = new Map<string, Set<NodeMessageHandler>>();
  readonly #most: number;
  readonly #failed: (error: unknown, event: string) => void;

  /** At most `most` handlers for each event; `failed` hears of those that throw or reject. */
  constructor(most: number, failed: (error: unknown, event: string) => void) {
    this.#most = most;
    this.#failed = failed;
  }

  /**
   * @returns a function that removes the handler.
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_LIMIT`.
   */
  add(event: string, given: NodeMessageHandler): () => void {
    checkFunction(given, "A handler");
    const handlers = this.#handlers.get(event) ?? new Set();
    checkCount(handlers.size, this.#most, `handlers of "${event}" from other nodes`);
    // Its own, so that what is added twice is called twice, and removed once by each.
    const handler: NodeMessageHandler = (data, node) => given(data, node);
    this.#handlers.set(event, handlers.add(handler));
    return () => {
      handlers.delete(handler);
      if (handlers.size === 0) this.#handlers.delete(event);
    };
  }

  /** A failing handler keeps nothing from the others. */
  dispatch(event: string, data: unknown, node: NodeDescription): void {
    for (const handler of this.#handlers.get(event) ?? []) void this.#call(handler, event, data, node);
  }

  async #call(handler: NodeMessageHandler, event: string, data: unknown, node: NodeDescription): Promise<void> {
    try {
      await handler(data, node);
    } catch (error) {
      this.#failed(error, event);
    }
  }
}
