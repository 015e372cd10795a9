import { checkEventName, onlyValue, type SocketLike } from "../checks/arguments.ts";
import type { OverloadPolicy } from "../delivery/overload.ts";
import type {
  DataArguments,
  EventName,
  EventReply,
  HubTypes,
  NodeEvents,
  RequestArguments,
  RequestName,
  ServerEvents,
} from "../event-types.ts";
import type { Replies, RequestOptions } from "../members/requests.ts";
import type { RoomNames } from "../rooms/rooms.ts";
import { askPrograms, NodeTarget, type NodeTargetParts } from "./node-target.ts";
import type { Target } from "./target.ts";

/**
 * The methods of the hub and of an emitter that act on all sockets or name some of them, or reach the programs on other
 * nodes.
 */
export abstract class Sender<T extends HubTypes = HubTypes> {
  /** Everybody on all nodes. A hub has most methods of this target itself; its `close` and `sockets` mean something else. */
  abstract readonly everybody: Target<T>;

  /** The parts by which the programs on other nodes are reached. */
  protected abstract readonly programs: NodeTargetParts;

  /** The members of a room, or of several, each once. See {@link Target.to}. */
  to(...rooms: readonly RoomNames[]): Target<T> {
    return this.everybody.to(...rooms);
  }

  /** One socket by its id. See {@link Target.toSocket}. */
  toSocket(id: string): Target<T> {
    return this.everybody.toSocket(id);
  }

  /** All sockets of a user. See {@link Target.toUser}. */
  toUser(id: string): Target<T> {
    return this.everybody.toUser(id);
  }

  /** Everybody but the members of these rooms, and these sockets. See {@link Target.except}. */
  except(...excluded: readonly (RoomNames | SocketLike)[]): Target<T> {
    return this.everybody.except(...excluded);
  }

  /** Everybody but the sockets that are behind. See {@link Target.volatile}. */
  get volatile(): Target<T> {
    return this.everybody.volatile;
  }

  /** Everybody, without compression. See {@link Target.uncompressed}. */
  get uncompressed(): Target<T> {
    return this.everybody.uncompressed;
  }

  /** Everybody, with another policy for sockets that read too slowly. See {@link Target.overload}. */
  overload(policy: OverloadPolicy): Target<T> {
    return this.everybody.overload(policy);
  }

  /** Everybody, for values of which only the newest counts. See {@link Target.latest}. */
  latest(key: string): Target<T> {
    return this.everybody.latest(key);
  }

  /** Sends an event to everybody. See {@link Target.emit}. */
  emit<E extends EventName<ServerEvents<T>>>(event: E, ...data: DataArguments<ServerEvents<T>[E]>): void {
    this.everybody.emit(event, ...data);
  }

  /** Sends a message as it is to everybody. See {@link Target.send}. */
  send(message: string | Uint8Array): void {
    this.everybody.send(message);
  }

  /** Sends an event that everybody answers. See {@link Target.request}. */
  request<E extends RequestName<ServerEvents<T>>>(
    event: E,
    ...args: RequestArguments<ServerEvents<T>[E], RequestOptions>
  ): Promise<Replies<EventReply<ServerEvents<T>[E]>>> {
    return this.everybody.request(event, ...args);
  }

  /** Puts all sockets that are connected now into these rooms. See {@link Target.join}. */
  join(...rooms: readonly RoomNames[]): void {
    this.everybody.join(...rooms);
  }

  /** Takes all sockets out of these rooms. See {@link Target.leave}. */
  leave(...rooms: readonly RoomNames[]): void {
    this.everybody.leave(...rooms);
  }

  /**
   * Sends a message to the programs on all other nodes: see `hub.onNode`. The data is copied now, as by
   * `structuredClone`. Without a backplane there are no other nodes, and nothing is sent.
   *
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_ARGUMENT`, `ERR_HUB_UNSERIALISABLE`, `ERR_HUB_CLOSED`.
   */
  emitToNodes<E extends EventName<NodeEvents<T>>>(event: E, ...values: DataArguments<NodeEvents<T>[E]>): void {
    const { cluster, preconditions } = this.programs;
    preconditions.checkOpen();
    checkEventName(event);
    cluster?.emitToNodes(event, onlyValue(values));
  }

  /**
   * Sends a message that the program on each other node answers: see `hub.handleNode`. Resolves when every node has
   * replied, failed or run out of time, and never rejects because of one of them. The replies and failures are by node
   * id: each node is in one of the two, and those that did not answer are named in `silent` as well. Without other
   * nodes it resolves at once.
   *
   * @throws {HubError} as a rejection: `ERR_HUB_BACKPLANE` or `ERR_HUB_TIMEOUT` where the engine was away, or the time was
   *   over, before this node knew which other nodes there are; `ERR_HUB_CLOSED`, `ERR_HUB_EVENT_NAME`, `ERR_HUB_ARGUMENT`,
   *   `ERR_HUB_UNSERIALISABLE`.
   */
  requestNodes<E extends RequestName<NodeEvents<T>>>(
    event: E,
    ...[data, options]: RequestArguments<NodeEvents<T>[E], RequestOptions>
  ): Promise<Replies<EventReply<NodeEvents<T>[E]>>> {
    const { cluster } = this.programs;
    return askPrograms(this.programs, event, options, async (timeout) => {
      if (cluster === undefined) return { replies: new Map(), failures: new Map(), silent: [] };
      const { replies, failures, silent } = await cluster.nodeRequests.askAll(event, data, timeout);
      return { replies: replies as Replies<EventReply<NodeEvents<T>[E]>>["replies"], failures, silent };
    });
  }

  /**
   * The program on one other node, by the id that `hub.nodes` and the handlers of `hub.onNode` have. See
   * {@link NodeTarget}.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT` for what is no id of a node, and for the id of this node itself.
   */
  toNode(id: string): NodeTarget<T> {
    return new NodeTarget<T>(this.programs, id);
  }
}
