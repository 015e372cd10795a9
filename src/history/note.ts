/** The members of a room that an event is not for. */
export interface Exceptions {
  /** Ids of sockets. */
  readonly exceptSockets: readonly string[];
  readonly exceptRooms: readonly string[];
}

/** The first character of a note in JSON. */
const JSON_START = "{";

/** Returns the text with which exceptions are recorded: mostly there are none, or one socket, whose id is the text. */
export function noteOf({ exceptSockets, exceptRooms }: Exceptions): string {
  if (exceptSockets.length === 0 && exceptRooms.length === 0) return "";
  const [id = ""] = exceptSockets;
  if (exceptSockets.length === 1 && exceptRooms.length === 0 && !id.startsWith(JSON_START)) return id;
  return JSON.stringify({ exceptSockets, exceptRooms });
}

/**
 * Returns whether the exceptions leave out a member.
 *
 * @param sockets - the ids of the sockets that the client has and had.
 * @param isIn - returns whether the member is in a room.
 */
export function isExcepted(note: string, sockets: readonly string[], isIn: (room: string) => boolean): boolean {
  if (!note.startsWith(JSON_START)) return sockets.includes(note);
  const { exceptSockets, exceptRooms } = JSON.parse(note) as Exceptions;
  return exceptSockets.some((id) => sockets.includes(id)) || exceptRooms.some(isIn);
}
