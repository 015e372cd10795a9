import type { Overload } from "../delivery/overload.ts";

/** Whom a send reaches, by name. Immutable; resolved against the members at the moment of the call. */
export interface Audience {
  /** All sockets; the lists of rooms, sockets and users are then empty. */
  readonly everybody: boolean;
  readonly rooms: readonly string[];
  /** Ids. */
  readonly sockets: readonly string[];
  /** Ids. */
  readonly users: readonly string[];
  readonly exceptRooms: readonly string[];
  /** Ids. */
  readonly exceptSockets: readonly string[];
  /** Skip sockets that are behind. */
  readonly volatile: boolean;
  /** What becomes of a message that is too much for one of them; `undefined` as the hub does. */
  readonly overload: Overload | undefined;
  /** Only this node. */
  readonly local: boolean;
}

export const EVERYBODY: Audience = {
  everybody: true,
  rooms: [],
  sockets: [],
  users: [],
  exceptRooms: [],
  exceptSockets: [],
  volatile: false,
  overload: undefined,
  local: false,
};

/** The room, if the audience is taken from exactly one and from nothing else. */
export function onlyRoom(audience: Audience): string | undefined {
  const { everybody, rooms, sockets, users } = audience;
  return !everybody && rooms.length === 1 && sockets.length === 0 && users.length === 0 ? rooms[0] : undefined;
}
