import type { SocketLike } from "../checks/arguments.ts";
import type { DataArguments, EventName, HubTypes, ServerEvents } from "../event-types.ts";
import type { RoomNames } from "../rooms/rooms.ts";
import type { Target } from "./target.ts";

/** The methods of the hub and of an emitter that send to all sockets or name some of them. */
export abstract class Sender<T extends HubTypes = HubTypes> {
  /** Everybody on all nodes. */
  protected abstract readonly everybody: Target<T>;

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

  /** Sends an event to everybody. See {@link Target.emit}. */
  emit<E extends EventName<ServerEvents<T>>>(event: E, ...data: DataArguments<ServerEvents<T>[E]>): void {
    this.everybody.emit(event, ...data);
  }

  /** Sends a message as it is to everybody. See {@link Target.send}. */
  send(message: string | Uint8Array): void {
    this.everybody.send(message);
  }
}
