import { HubError } from "../errors.ts";
import type { HubTypes, PresenceData } from "../event-types.ts";
import type { Presence } from "../presence/presence.ts";
import type { PresenceContext } from "../presence/room.ts";
import type { PresenceListeners } from "./presence-listeners.ts";
import { MapView } from "./views.ts";

/** A user who is present in a room. */
export interface PresentUser<T extends HubTypes = HubTypes> {
  /** The user's id; the socket's for a socket without a user. */
  readonly id: string;
  /** The data that was set last with `socket.presence(room).set`, on whatever socket of the user; `null` if none was. */
  readonly data: PresenceData<T> | null;
}

/** The events of presence and what their listeners get. */
export interface PresenceEvents<T extends HubTypes = HubTypes> {
  /** A user has come: the first socket of the user is in the room. */
  in: [user: PresentUser<T>, context: PresenceContext];
  /**
   * A user has gone: since `presence.grace`, no socket of the user is in the room on any node. If the node that was to act on it
   * has died before it could, `out` comes a second time, with `mine`.
   */
  out: [user: PresentUser<T>, context: PresenceContext];
  /** The data of a user has changed. */
  change: [user: PresentUser<T>, context: PresenceContext];
}

export const PRESENCE_EVENTS: readonly (keyof PresenceEvents)[] = ["in", "out", "change"];

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
    this.#parts.presence.peopleOf(room);
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
      throw new HubError(
        "ERR_HUB_ARGUMENT",
        `Presence has no event "${String(event)}", only ${PRESENCE_EVENTS.join(", ")}.`,
      );
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
