import { HubError } from "../errors.ts";
import type { HubTypes, PresenceData } from "../event-types.ts";
import type { Presence } from "../presence/presence.ts";
import { PRESENCE_EVENTS, type PresenceEvents } from "./presence-events.ts";
import type { PresenceListeners } from "./presence-listeners.ts";
import { MapView } from "./views.ts";

/** The parts that the presence of all rooms shares. */
export interface RoomPresenceParts {
  readonly presence: Presence;
  readonly listeners: PresenceListeners;
}

/**
 * Who is in a room, on all nodes: a live view. A user is there once, however many sockets it has, on however many nodes.
 *
 * A node knows the users of a room while it has members there or listeners here, and for a minute after it was asked. The first
 * time, what the other nodes have takes a moment to arrive: await {@link synced} before the view is read for an answer.
 */
export class RoomPresence<T extends HubTypes = HubTypes> {
  readonly #room: string;
  readonly #parts: RoomPresenceParts;

  constructor(room: string, parts: RoomPresenceParts) {
    this.#room = room;
    this.#parts = parts;
  }

  /** Number of users. */
  get size(): number {
    return this.#parts.presence.peopleOf(this.#room).size;
  }

  /** A live, read-only view of the users: id to data, `null` for a user without. */
  get users(): MapView<PresenceData<T> | null> {
    const people = () => this.#parts.presence.peopleOf(this.#room);
    return MapView.of(
      () => people().places,
      (_, id) => (people().latestOf(id)?.data ?? null) as PresenceData<T> | null,
    );
  }

  /** Returns whether the user is there. */
  has(id: string): boolean {
    return this.#parts.presence.peopleOf(this.#room).has(id);
  }

  /**
   * Listens to users who come and go. Listeners are called in a microtask after each change. What a listener throws reaches the
   * event `error` of the hub.
   *
   * @example
   * // The last socket of a user has gone, on all nodes: exactly one node acts.
   * hub.presence("online").on("out", (user, { mine, key }) => {
   *   if (mine) queue.add({ id: key, push: user.id });
   * });
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT`, `ERR_HUB_LIMIT`.
   */
  on<E extends keyof PresenceEvents>(event: E, listener: (...args: PresenceEvents<T>[E]) => unknown): this {
    if (!PRESENCE_EVENTS.includes(event)) {
      throw new HubError("ERR_HUB_ARGUMENT", `Presence has no event "${event}", only ${PRESENCE_EVENTS.join(", ")}.`);
    }
    const { listeners, presence } = this.#parts;
    listeners.add(this.#room, event, listener as never);
    presence.listen(this.#room, true);
    return this;
  }

  /** Stops listening. */
  off<E extends keyof PresenceEvents>(event: E, listener: (...args: PresenceEvents<T>[E]) => unknown): this {
    const { listeners, presence } = this.#parts;
    if (!listeners.remove(this.#room, event, listener as never)) presence.listen(this.#room, false);
    return this;
  }

  /**
   * Resolves when this node knows what the other nodes know now. A node that does not answer delays that by `cluster.lease`. It
   * waits while the engine is away. Without a backplane there is no wait.
   *
   * @throws {HubError} `ERR_HUB_CLOSED`, `ERR_HUB_BACKPLANE` where the engine does not let this node hear the room; as a
   *   rejection.
   */
  synced(): Promise<void> {
    return this.#parts.presence.synced(this.#room);
  }

  /** Returns an object of ids and data, because JSON has no maps. */
  toJSON(): Record<string, PresenceData<T> | null> {
    return this.users.toJSON();
  }
}
