/** What is recorded of an event beside its frames: the members that it is not for, and how it goes to the others. */
export interface Noted {
  /** Ids of sockets. */
  readonly exceptSockets: readonly string[];
  readonly exceptRooms: readonly string[];
  /** Whether it goes uncompressed. */
  readonly uncompressed: boolean;
  /** Whether it is not for the members that were told of the gap with which the record began. */
  readonly isOfBefore?: boolean;
}

/** The note of a place where events were lost, of which nobody can know. */
export const HOLE = '{"hole":true}';

/** The first character of a note in JSON. */
const JSON_START = "{";

/** Returns the text that is recorded: mostly there is nothing to note, or one socket, whose id is the text. */
export function noteOf({ exceptSockets, exceptRooms, uncompressed, isOfBefore = false }: Noted): string {
  if (exceptRooms.length === 0 && !uncompressed && !isOfBefore) {
    const [id] = exceptSockets;
    if (id === undefined) return "";
    if (exceptSockets.length === 1 && !id.startsWith(JSON_START)) return id;
  }
  return JSON.stringify({ exceptSockets, exceptRooms, uncompressed, isOfBefore } satisfies Noted);
}

/** Returns whether an event goes uncompressed. */
export function isUncompressed(note: string): boolean {
  return note.startsWith(JSON_START) && (JSON.parse(note) as Noted).uncompressed;
}

/**
 * Returns whether the exceptions leave out a member.
 *
 * @param sockets - the ids of the sockets that the client has and had.
 * @param isIn - returns whether the member is in a room.
 * @param witnesses - the ids of the sockets that were told of the gap with which the record began. Default: none.
 */
export function isExcepted(
  note: string,
  sockets: readonly string[],
  isIn: (room: string) => boolean,
  witnesses?: ReadonlySet<string>,
): boolean {
  if (!note.startsWith(JSON_START)) return sockets.includes(note);
  const noted = JSON.parse(note) as Noted;
  if (noted.isOfBefore === true && witnesses !== undefined && sockets.some((id) => witnesses.has(id))) return true;
  return leavesOut(noted, sockets, isIn);
}

/** Returns whether exceptions name one of the sockets that a client has and had, or a room that it is in. */
export function leavesOut(
  { exceptSockets, exceptRooms }: Pick<Noted, "exceptSockets" | "exceptRooms">,
  sockets: readonly string[],
  isIn: (room: string) => boolean,
): boolean {
  return exceptSockets.some((id) => sockets.includes(id)) || exceptRooms.some(isIn);
}
