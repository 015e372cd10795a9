import type { EventData, EventName, HubTypes, ServerEvents } from "../event-types.ts";
import type { EventContext } from "./events.ts";
import type { Listener, Listeners } from "./listeners.ts";
import type { Memberships } from "./memberships.ts";

type RoomListener<T extends HubTypes, E extends EventName<ServerEvents<T>>> = (
  data: EventData<ServerEvents<T>[E]>,
  context: EventContext,
) => unknown;

/** One room, as a client sees it: the events that the server sends to it and to no other. */
export class Room<T extends HubTypes = HubTypes> {
  readonly name: string;
  readonly #listeners: Listeners;
  readonly #memberships: Memberships;

  constructor(name: string, listeners: Listeners, memberships: Memberships) {
    this.name = name;
    this.#listeners = listeners;
    this.#memberships = memberships;
  }

  /** Listens to an event of this room, whoever put the client into it. */
  on<E extends EventName<ServerEvents<T>>>(event: E, listener: RoomListener<T, E>): this {
    this.#listeners.add(inRoom(event, this.name), listener as Listener, false);
    return this;
  }

  /** Like {@link on}, for the next time only. */
  once<E extends EventName<ServerEvents<T>>>(event: E, listener: RoomListener<T, E>): this {
    this.#listeners.add(inRoom(event, this.name), listener as Listener, true);
    return this;
  }

  /** Stops listening. */
  off<E extends EventName<ServerEvents<T>>>(event: E, listener: RoomListener<T, E>): this {
    this.#listeners.remove(inRoom(event, this.name), listener as Listener);
    return this;
  }

  /** See `client.join`. */
  join(): Promise<void> {
    return this.#memberships.join(this.name);
  }

  /** See `client.leave`. */
  leave(): Promise<void> {
    return this.#memberships.leave(this.name);
  }
}

/** Of an event in a room, the name that its listeners are kept under: one that no application's event can have. */
export function inRoom(event: string, room: string): string {
  return `hub:${JSON.stringify([event, room])}`;
}
