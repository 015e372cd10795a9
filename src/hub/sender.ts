import type { SocketLike } from "../checks/arguments.ts";
import type { OverloadPolicy } from "../delivery/overload.ts";
import type {
  DataArguments,
  EventName,
  EventReply,
  HubTypes,
  RequestArguments,
  RequestName,
  ServerEvents,
} from "../event-types.ts";
import type { Replies, RequestOptions } from "../members/requests.ts";
import type { RoomNames } from "../rooms/rooms.ts";
import type { Target } from "./target.ts";

/** The methods of the hub and of an emitter that act on all sockets or name some of them. */
export abstract class Sender<T extends HubTypes = HubTypes> {
  /** Everybody on all nodes. A hub has most methods of this target itself; its `close` and `sockets` mean something else. */
  abstract readonly everybody: Target<T>;

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
}
