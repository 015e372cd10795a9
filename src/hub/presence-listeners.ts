import { microtask, type Guardian } from "../guard.ts";
import type { PresenceContext, RoomUser } from "../presence/room.ts";
import { Listeners } from "./listeners.ts";
import { PRESENCE_EVENTS, type PresenceEvents } from "./presence-events.ts";

type PresenceEvent = keyof PresenceEvents;
type PresenceListener = (user: RoomUser, context: PresenceContext) => unknown;
type RoomListeners = Listeners<Record<PresenceEvent, [user: RoomUser, context: PresenceContext]>>;

/** The listeners that learn who comes into which room, and who goes. */
export class PresenceListeners {
  readonly #rooms = new Map<string, RoomListeners>();
  readonly #most: number;
  readonly #guardian: Guardian;
  readonly #failed: (error: unknown, event: PresenceEvent) => void;

  /**
   * @param most - the most listeners that an event of a room may have.
   * @param failed - is called for every listener that throws or rejects.
   */
  constructor(most: number, guardian: Guardian, failed: (error: unknown, event: PresenceEvent) => void) {
    this.#most = most;
    this.#guardian = guardian;
    this.#failed = failed;
  }

  /** @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_LIMIT`. */
  add(room: string, event: PresenceEvent, listener: PresenceListener): void {
    const listeners = this.#rooms.get(room) ?? new Listeners(PRESENCE_EVENTS, this.#most, this.#failed);
    listeners.add(event, listener, false);
    this.#rooms.set(room, listeners);
  }

  /** Removes a listener. Returns whether the room has others. */
  remove(room: string, event: PresenceEvent, listener: PresenceListener): boolean {
    const listeners = this.#rooms.get(room);
    listeners?.remove(event, listener);
    if (listeners !== undefined && PRESENCE_EVENTS.some((other) => listeners.has(other))) return true;
    this.#rooms.delete(room);
    return false;
  }

  /** Calls the listeners in a microtask, in the order of the events. */
  dispatch(room: string, event: PresenceEvent, user: RoomUser, context: PresenceContext): void {
    const listeners = this.#rooms.get(room);
    if (listeners !== undefined) microtask(this.#guardian, listeners.dispatcherOf(event, user, context));
  }
}
