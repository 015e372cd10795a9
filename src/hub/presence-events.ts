import type { HubTypes, PresenceData } from "../event-types.ts";
import type { PresenceContext } from "../presence/room.ts";

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
