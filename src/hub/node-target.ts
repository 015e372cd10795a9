import { checkEventName, onlyValue } from "../checks/arguments.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { checkNodeId } from "../cluster/node-id.ts";
import { unknownNode } from "../cluster/node-requests.ts";
import { HubError } from "../errors.ts";
import type {
  DataArguments,
  EventName,
  EventReply,
  HubTypes,
  NodeEvents,
  RequestArguments,
  RequestName,
} from "../event-types.ts";
import { handled } from "../guard.ts";
import { timeoutOf, type RequestOptions } from "../members/requests.ts";
import type { Preconditions } from "./preconditions.ts";

/** The parts by which the programs on other nodes are reached. */
export interface NodeTargetParts {
  readonly preconditions: Preconditions;
  /** The other nodes; `undefined` without a backplane. */
  readonly cluster: Cluster | undefined;
}

/**
 * Checks a request to the programs on other nodes, and asks them.
 *
 * @throws {HubError} as a rejection: `ERR_HUB_EVENT_NAME`, `ERR_HUB_ARGUMENT`, `ERR_HUB_CLOSED`.
 */
export function askPrograms<R>(
  { preconditions }: NodeTargetParts,
  event: string,
  options: RequestOptions | undefined,
  ask: (timeout: number) => Promise<R>,
): Promise<R> {
  let timeout: number;
  try {
    checkEventName(event);
    timeout = timeoutOf(options);
  } catch (error) {
    return Promise.reject(error);
  }
  const asked = async (): Promise<R> => {
    preconditions.checkOpen();
    return ask(timeout);
  };
  // An outage, or a node that goes away, must not end the process of a program that does not wait for the replies.
  return handled(asked());
}

/** The program on one other node. Made by `hub.toNode`. */
export class NodeTarget<T extends HubTypes = HubTypes> {
  readonly #parts: NodeTargetParts;
  readonly #id: string;

  /** @internal */
  constructor(parts: NodeTargetParts, id: string) {
    this.#parts = parts;
    this.#id = checkNodeId(id);
    if (id === parts.cluster?.self.id) {
      throw new HubError("ERR_HUB_ARGUMENT", "This is the id of this node itself. Call your function instead.");
    }
  }

  /**
   * Sends a message to the program. The data is copied now, as by `structuredClone`. If the node is gone, or was never
   * there, nothing happens.
   *
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_ARGUMENT`, `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_CLOSED`.
   */
  emit<E extends EventName<NodeEvents<T>>>(event: E, ...values: DataArguments<NodeEvents<T>[E]>): void {
    this.#parts.preconditions.checkOpen();
    checkEventName(event);
    this.#parts.cluster?.emitToNodes(event, onlyValue(values), this.#id);
  }

  /**
   * Sends a message and resolves with the reply of the program's handler: see `hub.handleNode`.
   *
   * @throws {HubError} as a rejection: `ERR_HUB_TIMEOUT`, `ERR_HUB_DISCONNECTED` if the node is gone or was never there,
   *   `ERR_HUB_CLOSED`, `ERR_HUB_BACKPLANE` if the engine cannot be reached or did not take the request or the reply,
   *   `ERR_HUB_UNSERIALISABLE` if the reply cannot be read, a {@link RemoteError} with what the node answered, and for
   *   mistakes whatever `emit` throws.
   */
  request<E extends RequestName<NodeEvents<T>>>(
    event: E,
    ...[data, options]: RequestArguments<NodeEvents<T>[E], RequestOptions>
  ): Promise<EventReply<NodeEvents<T>[E]>> {
    const { cluster } = this.#parts;
    return askPrograms(this.#parts, event, options, async (timeout) => {
      if (cluster === undefined) throw unknownNode(this.#id);
      return (await cluster.nodeRequests.ask(this.#id, event, data, timeout)) as EventReply<NodeEvents<T>[E]>;
    });
  }
}
