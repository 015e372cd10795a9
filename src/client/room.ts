import type { EventName, HubTypes, ServerEvents } from "../event-types.ts";
import type { EventContext, HeardData, RoomNotices } from "./events.ts";
import type { AnyListener, ClientListeners } from "./listeners.ts";
import type { Memberships } from "./memberships.ts";

/** The names of the events of a room. */
type RoomEvent<T extends HubTypes> = EventName<ServerEvents<T>> | keyof RoomNotices;

type RoomListener<T extends HubTypes, E> = (data: HeardData<T, E>, context: EventContext) => unknown;

/**
 * One room, as a client sees it: the events that the server sends to this room and to no other.
 *
 * Each part of a program that comes and goes by itself has an object of its own: the client is in the room as long as
 * one of them, or the client itself, has joined it and not left.
 */
export class Room<T extends HubTypes = HubTypes> {
  readonly name: string;
  readonly #listeners: ClientListeners;
  /** @internal */
  readonly memberships: Memberships;

  constructor(name: string, listeners: ClientListeners, memberships: Memberships) {
    this.name = name;
    this.#listeners = listeners;
    this.memberships = memberships;
  }

  /**
   * Listens to an event of this room, whether the client joined the room or the server put it there; or to `hub:gap` or
   * `hub:left`, which concern this room: {@link ClientNotices}.
   */
  on<E extends RoomEvent<T>>(event: E, listener: RoomListener<T, E>): this {
    this.#listeners.add(event, listener as AnyListener, false, this.name);
    return this;
  }

  /** Listens like {@link on}, but to the next event only. */
  once<E extends RoomEvent<T>>(event: E, listener: RoomListener<T, E>): this {
    this.#listeners.add(event, listener as AnyListener, true, this.name);
    return this;
  }

  /** Removes a listener. If it was added several times, this removes the last one. */
  off<E extends RoomEvent<T>>(event: E, listener: RoomListener<T, E>): this {
    this.#listeners.remove(event, listener as AnyListener, this.name);
    return this;
  }

  /** Joins the room for this object, like `client.join`. */
  join(): Promise<void> {
    return this.memberships.join([this.name], this);
  }

  /** Leaves the room, like `client.leave`, unless others want it that this object did not join for. */
  leave(): Promise<void> {
    return this.memberships.leave([this.name], this);
  }
}
