import type { EventPacket, ReplyPacket } from "roomcast";
import type { Journal } from "../journal.ts";
import { FORBIDDEN_ROOM, type Guard } from "../scenario.ts";

/** The rooms that the client joined last and did not leave; that of an earlier page has no say any more. */
export function wantedRooms(journal: Journal): ReadonlySet<string> {
  const wanted = new Set<string>();
  for (const entry of journal.of("loaded", "call")) {
    if (entry.type === "loaded") wanted.clear();
    else if (entry.what === "join") for (const room of entry.rooms ?? []) wanted.add(room);
    else for (const room of entry.rooms ?? []) wanted.delete(room);
  }
  wanted.delete(FORBIDDEN_ROOM);
  return wanted;
}

/**
 * Where the client is in the end: in the rooms that it wants to be in. Where the guard has failed at a leave, it may still
 * be in that room.
 */
export function checkRooms(journal: Journal, actual: readonly string[], guard: Guard): readonly string[] {
  const wanted = wantedRooms(journal);
  const counted = guard === "failing" ? actual.filter((room) => wanted.has(room)) : actual;
  const [is, should] = [counted, [...wanted]].map((rooms) => rooms.toSorted().join());
  return is === should ? [] : [`the client is in the rooms ${is} instead of ${should}`];
}

/**
 * On a new connection the client asks first for all rooms whose joining had succeeded. So, unless the server's guard
 * fails, whatever is handled finds the client in those that it was in at the call, however long the guard takes.
 */
export function checkRejoining({ entries }: Journal, guard: Guard): readonly string[] {
  const complaints: string[] = [];
  const joining = new Map<number, Set<string>>();
  const joined = new Set<string>();
  const required = new Map<number, readonly string[]>();
  let toAskFor = new Set<string>();
  for (const entry of entries) {
    if (entry.type === "loaded") {
      for (const known of [joining, joined, required, toAskFor]) known.clear();
    } else if (entry.type === "call") {
      const { what, n, rooms = [] } = entry;
      if (what === "join") joining.set(n, new Set(rooms));
      else if (what === "leave") forget(rooms, ...joining.values(), joined, toAskFor);
      else required.set(n, [...joined]);
    } else if (entry.type === "resolved") {
      for (const room of joining.get(entry.n) ?? []) joined.add(room);
    } else if (entry.type === "welcomed") {
      toAskFor = new Set(joined);
    } else if (entry.type === "sent") {
      for (const room of roomsIn(entry.packet)) toAskFor.delete(room);
      if (entry.n !== undefined && toAskFor.size > 0) {
        complaints.push(`${entry.n} was sent before the client had asked for ${[...toAskFor].join()} again`);
      }
    } else if (entry.type === "handled" && guard !== "failing") {
      const expected = required.get(entry.n) ?? [];
      const actual = new Set(entry.rooms);
      const missing = expected.filter((room) => joined.has(room) && !actual.has(room));
      if (missing.length > 0) complaints.push(`${entry.n} was handled before the client was back in ${missing.join()}`);
    }
  }
  return complaints;
}

function roomsIn({ data }: EventPacket | ReplyPacket): readonly string[] {
  const { room, rooms = [] } = (data ?? {}) as { readonly room?: string; readonly rooms?: readonly string[] };
  return room === undefined ? rooms : [room];
}

function forget(rooms: readonly string[], ...known: readonly Set<string>[]): void {
  for (const names of known) for (const room of rooms) names.delete(room);
}
