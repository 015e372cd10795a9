import { HubError, typeName } from "../errors.ts";

/** What the index keeps on each member. */
export interface RoomMember {
  /**
   * The rooms the member is in. Touched by {@link Rooms} alone; {@link roomsOf} reads it.
   *
   * Most members are in one room, and its name is all that is kept of it: a set of one takes 152 bytes.
   */
  rooms: Set<string> | string | undefined;
}

/** Members that can be sent to as a whole: the live collection itself, so that it is known again. */
export interface Group<M> {
  readonly size: number;
  values(): Iterable<M>;
}

/** Hears of every change of a group. */
export interface GroupObserver<M> {
  /** Called before a member is added or deleted. */
  changing(): void;
  joined(group: Group<M>, member: M): void;
  left(group: Group<M>, member: M): void;
}

/** Hears of the names under which there is somebody. */
export interface NameObserver {
  /** The first member is there. */
  appeared(name: string): void;
  /** The last one has gone. */
  vanished(name: string): void;
}

/** Named sets of members. A set exists exactly while it has a member. */
export class Groups<M> {
  readonly #groups = new Map<string, Set<M>>();
  readonly #observer: GroupObserver<M> | undefined;
  readonly #names: NameObserver | undefined;

  constructor(observer?: GroupObserver<M>, names?: NameObserver) {
    this.#observer = observer;
    this.#names = names;
  }

  add(name: string, member: M): void {
    this.#observer?.changing();
    let group = this.#groups.get(name);
    if (group === undefined) {
      this.#groups.set(name, (group = new Set()));
      this.#names?.appeared(name);
    }
    group.add(member);
    this.#observer?.joined(group, member);
  }

  delete(name: string, member: M): void {
    const group = this.#groups.get(name);
    if (group === undefined) return;
    this.#observer?.changing();
    group.delete(member);
    if (group.size === 0) {
      this.#groups.delete(name);
      this.#names?.vanished(name);
    }
    this.#observer?.left(group, member);
  }

  get(name: string): ReadonlySet<M> | undefined {
    return this.#groups.get(name);
  }

  /** Live: it follows what is added and deleted. */
  get entries(): ReadonlyMap<string, ReadonlySet<M>> {
    return this.#groups;
  }
}

/** The two-way index of rooms and members. Pure: no I/O, no time, names are taken as they are. */
export class Rooms<M extends RoomMember> extends Groups<M> {
  /** Joining twice is joining once. */
  join(member: M, room: string): void {
    const { rooms } = member;
    if (rooms === room || (typeof rooms === "object" && rooms.has(room))) return;
    this.add(room, member);
    if (rooms === undefined) member.rooms = room;
    else setOf(member, rooms).add(room);
  }

  /** Leaving a room that the member is not in does nothing. */
  leave(member: M, room: string): void {
    const { rooms } = member;
    if (rooms === room) member.rooms = undefined;
    else if (typeof rooms !== "object" || !rooms.delete(room)) return;
    this.delete(room, member);
  }

  /** Takes the member out of the index but leaves what {@link roomsOf} reads. */
  remove(member: M): void {
    const { rooms } = member;
    if (typeof rooms === "string") this.delete(rooms, member);
    else if (rooms !== undefined) for (const room of rooms) this.delete(room, member);
  }
}

/**
 * The rooms of a member, live: whoever iterates meets what is joined meanwhile. That takes a set, so it is made for the
 * members that are asked.
 */
export function roomsOf(member: RoomMember): ReadonlySet<string> | undefined {
  const { rooms } = member;
  return rooms === undefined ? undefined : setOf(member, rooms);
}

/** Whether the member would be in more than `most` rooms with these besides. */
export function wouldExceed(most: number, { rooms }: RoomMember, names: readonly string[]): boolean {
  const count = typeof rooms === "object" ? rooms.size : 1;
  if (count + names.length <= most) return false;
  const held = typeof rooms === "string" ? [rooms] : (rooms ?? []);
  return new Set([...held, ...names]).size > most;
}

/** Once a member has a set it keeps it. */
function setOf(member: RoomMember, rooms: Set<string> | string): Set<string> {
  return typeof rooms === "object" ? rooms : (member.rooms = new Set([rooms]));
}

/** One room, or several. */
export type RoomNames = string | readonly string[];

/**
 * Checks the names a caller gave; none may be longer than `maxLength`.
 *
 * @throws {HubError} `ERR_HUB_ROOM_NAME`, before anything was done with any of them.
 */
export function roomNames(rooms: readonly RoomNames[], maxLength: number): readonly string[] {
  const names = rooms.flat();
  for (const name of names) checkRoomName(name, maxLength);
  return names;
}

function checkRoomName(name: unknown, maxLength: number): void {
  if (typeof name !== "string") {
    throw new HubError("ERR_HUB_ROOM_NAME", `A room's name must be a string, not ${typeName(name)}.`);
  }
  if (name === "") throw new HubError("ERR_HUB_ROOM_NAME", "A room's name must not be empty.");
  if (name.length > maxLength) {
    throw new HubError(
      "ERR_HUB_ROOM_NAME",
      `A room's name must be at most ${maxLength} characters; this one has ${name.length}.`,
    );
  }
}
