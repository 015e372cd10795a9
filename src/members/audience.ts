import type { Overload } from "../delivery/overload.ts";

/**
 * The names of the sockets that a call is for. An audience is immutable, and resolved against the members at the moment
 * of the call.
 */
export interface Audience {
  /** Whether all sockets are meant; the lists of rooms, sockets and users are then empty. */
  readonly everybody: boolean;
  readonly rooms: readonly string[];
  /** Ids of sockets. */
  readonly sockets: readonly string[];
  /** Ids of users. */
  readonly users: readonly string[];
  readonly exceptRooms: readonly string[];
  /** Ids of sockets. */
  readonly exceptSockets: readonly string[];
  /** Whether sockets that are behind are skipped. */
  readonly volatile: boolean;
  /** Whether messages go uncompressed, also to clients that have agreed on compression. */
  readonly uncompressed: boolean;
  /** The policy for a message that is too much for one of the sockets; `undefined` for the hub's own policy. */
  readonly overload: Overload | undefined;
  /** Whether only this node is meant. */
  readonly local: boolean;
}

/** All sockets of all nodes. */
export const EVERYBODY: Audience = {
  everybody: true,
  rooms: [],
  sockets: [],
  users: [],
  exceptRooms: [],
  exceptSockets: [],
  volatile: false,
  uncompressed: false,
  overload: undefined,
  local: false,
};

/** Returns the room, if the audience consists of exactly one and of nothing else. */
export function onlyRoom(audience: Audience): string | undefined {
  const { everybody, rooms, sockets, users } = audience;
  return !everybody && rooms.length === 1 && sockets.length === 0 && users.length === 0 ? rooms[0] : undefined;
}
