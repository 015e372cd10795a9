/**
 * Who is in a room, as a page keeps it.
 *
 * @module roomcast/client/presence
 */

import type { HubTypes } from "../event-types.ts";
import type { PresenceNotice } from "../protocol/packet.ts";
import type { Client } from "./types.ts";

/**
 * Who has come and gone with a change of a {@link Presence}. Both lists are empty when it is told for the first time who is
 * present, and when the users become too many to be named, or few enough.
 */
export interface PresenceChange {
  /** The ids of the users who have come. */
  readonly came: readonly string[];
  /** The ids of the users who have gone. */
  readonly went: readonly string[];
}

type ChangeListener = (change: PresenceChange) => unknown;

/** The rooms that the views of a client follow, one entry for each view. */
const followed = new WeakMap<object, string[]>();

/** The users who are present in a room: a map of their ids to their data, which the server keeps up to date. */
export interface Presence<D = unknown> extends ReadonlyMap<string, D | null> {
  /** The number of users, also when they are too many to be named and the map is empty. */
  readonly count: number;
  /**
   * Calls the listener after each change, also of the data of a user. What it throws is treated like what other listeners of the
   * client throw.
   */
  on(event: "change", listener: ChangeListener): void;
  /** Removes a listener. */
  off(event: "change", listener: ChangeListener): void;
  /** Stops following the room. The map stays as it is. */
  close(): void;
}

/**
 * Follows who is present in a room that the client is in or joins later. This does not join the room. For a room that the server
 * puts the client into, call this directly after `connect`.
 *
 * While the client is not connected, and after it has left the room, the map stays as it was.
 *
 * @throws {ClientError} `ERR_CLIENT_ARGUMENT`.
 * @example
 * const users = presence<{ name: string }>(client, "lobby");
 * users.on("change", () => show(users.count, [...users.values()]));
 * await client.join("lobby");
 */
export function presence<D = unknown, T extends HubTypes = HubTypes>(client: Client<T>, room: string): Presence<D> {
  const source = client.room(room);
  const { memberships } = source;
  const rooms = followed.get(memberships) || [];
  const listeners = new Set<ChangeListener>();
  let isOpen = true;
  /** Whether the map has everybody. */
  let isNamed = false;
  /** The connection, and the number of the notice that continues the map. */
  let next: string | undefined;
  /** The connection on which the server was asked for everybody, and has not answered. */
  let asked: string | undefined;

  /** Asks if the client wants to be in the room: it does not join another one. */
  const ask = (): void => memberships.ask([room], (membership) => membership);

  /** Some messages are missing, and maybe notices of this room. */
  const dropped = (): void => {
    next = asked = undefined;
    ask();
  };

  const take = ({ count, in: entered, out, reset, v }: PresenceNotice): unknown => {
    const { id } = client;
    const isChange = !reset && !!(entered || out);
    if (isChange && next !== `${id} ${v}`) {
      // The server may have put the client into the room, so that it asks whether it wants to be there or not.
      if (asked !== id) memberships.ask([room], () => true);
      asked = id;
      next = undefined;
      return undefined;
    }
    next = `${id} ${v + 1}`;
    asked = undefined;
    const before = new Map(users);
    const isKnown = isNamed && (reset || isChange);
    isNamed = reset || isChange;
    if (!isChange) users.clear();
    for (const [user, data] of entered || []) users.set(user, data as D);
    for (const user of out || []) users.delete(user);
    users.count = count;
    const came = [...users.keys()].filter((user) => isKnown && !before.has(user));
    const went = [...before.keys()].filter((user) => isKnown && !users.has(user));
    // All listeners are called, and what one of them throws is reported.
    return Promise.all(Array.from(listeners, async (listener) => listener({ came, went })));
  };

  const users = Object.assign(new Map<string, D | null>(), {
    count: 0,
    on: (_: "change", listener: ChangeListener) => void listeners.add(listener),
    off: (_: "change", listener: ChangeListener) => void listeners.delete(listener),
    close() {
      if (isOpen) rooms.splice(rooms.indexOf(room), 1);
      isOpen = false;
      memberships.presence = [...new Set(rooms)];
      source.off("hub:presence", take);
      client.off("hub:dropped", dropped);
    },
  });
  rooms.push(room);
  followed.set(memberships, rooms);
  memberships.presence = [...new Set(rooms)];
  source.on("hub:presence", take);
  client.on("hub:dropped", dropped);
  ask();
  return users;
}
