import type { EventData, EventName, HubTypes, ServerEvents } from "../event-types.ts";
import type { EventContext } from "./events.ts";
import type { AnyListener, ClientListeners } from "./listeners.ts";
import type { Memberships } from "./memberships.ts";

type RoomListener<T extends HubTypes, E extends EventName<ServerEvents<T>>> = (
  data: EventData<ServerEvents<T>[E]>,
  context: EventContext,
) => unknown;

/** One room, as a client sees it: the events that the server sends to this room and to no other. */
export class Room<T extends HubTypes = HubTypes> {
  readonly name: string;
  readonly #listeners: ClientListeners;
  readonly #memberships: Memberships;

  constructor(name: string, listeners: ClientListeners, memberships: Memberships) {
    this.name = name;
    this.#listeners = listeners;
    this.#memberships = memberships;
  }

  /** Listens to an event of this room, whether the client joined the room or the server put it there. */
  on<E extends EventName<ServerEvents<T>>>(event: E, listener: RoomListener<T, E>): this {
    this.#listeners.add(inRoom(event, this.name), listener as AnyListener, false);
    return this;
  }

  /** Listens like {@link on}, but to the next event only. */
  once<E extends EventName<ServerEvents<T>>>(event: E, listener: RoomListener<T, E>): this {
    this.#listeners.add(inRoom(event, this.name), listener as AnyListener, true);
    return this;
  }

  /** Removes a listener. If it was added several times, this removes the last one. */
  off<E extends EventName<ServerEvents<T>>>(event: E, listener: RoomListener<T, E>): this {
    this.#listeners.remove(inRoom(event, this.name), listener as AnyListener);
    return this;
  }

  /** Joins the room, like `client.join`. */
  join(): Promise<void> {
    return this.#memberships.join(this.name);
  }

  /** Leaves the room, like `client.leave`. */
  leave(): Promise<void> {
    return this.#memberships.leave(this.name);
  }
}

/**
 * Returns the name under which the listeners of an event in a room are kept. No event of an application can have this
 * name.
 */
export function inRoom(event: string, room: string): string {
  return `hub:${JSON.stringify([event, room])}`;
}
