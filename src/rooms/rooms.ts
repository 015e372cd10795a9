import { HubError, typeName } from "../errors.ts";

/** The part of a member that {@link Rooms} keeps. */
export interface RoomMember {
  /**
   * The rooms that the member is in. Only {@link Rooms} changes this field; others read it with {@link roomsOf}.
   *
   * For a member in one room, which most are, the field holds just the room's name: a set of one name takes 152 bytes.
   */
  rooms: Set<string> | string | undefined;
}

/**
 * A set of members that a message can be sent to as a whole. It is the live collection itself, so that it can be
 * recognised by identity.
 */
export interface Group<M> {
  readonly size: number;
  values(): Iterable<M>;
}

/** An observer of the changes of all groups. */
export interface GroupObserver<M> {
  /** Called before a member is added or deleted. */
  changing(): void;
  joined(group: Group<M>, member: M): void;
  left(group: Group<M>, member: M): void;
}

/** An observer of the names under which there are members. */
export interface NameObserver {
  /** The first member has been added under the name. */
  appeared(name: string): void;
  /** The last member under the name has been deleted. */
  vanished(name: string): void;
}

/** An observer of the members under each name. */
export interface MemberObserver<M> {
  /**
   * A member has been added.
   *
   * @param isFirst - whether it is the first one under the name.
   */
  entered(name: string, member: M, isFirst: boolean): void;
  /**
   * A member has been deleted.
   *
   * @param wasLast - whether it was the last one under the name.
   */
  exited(name: string, member: M, wasLast: boolean): void;
}

/** Named sets of members. A set exists exactly as long as it has a member. */
export class Groups<M> {
  readonly #groups = new Map<string, Set<M>>();
  readonly #observer: GroupObserver<M> | undefined;
  readonly #names: NameObserver | undefined;
  readonly #members: MemberObserver<M> | undefined;

  constructor(observer?: GroupObserver<M>, names?: NameObserver, members?: MemberObserver<M>) {
    this.#observer = observer;
    this.#names = names;
    this.#members = members;
  }

  add(name: string, member: M): void {
    this.#observer?.changing();
    let group = this.#groups.get(name);
    if (group === undefined) {
      this.#groups.set(name, (group = new Set()));
      this.#names?.appeared(name);
    }
    group.add(member);
    this.#members?.entered(name, member, group.size === 1);
    this.#observer?.joined(group, member);
  }

  delete(name: string, member: M): void {
    const group = this.#groups.get(name);
    if (group?.has(member) !== true) return;
    this.#observer?.changing();
    group.delete(member);
    if (group.size === 0) {
      this.#groups.delete(name);
      this.#names?.vanished(name);
    }
    // First of all, because the group's observer may end the member, which then leaves its other groups.
    this.#members?.exited(name, member, group.size === 0);
    this.#observer?.left(group, member);
  }

  get(name: string): ReadonlySet<M> | undefined {
    return this.#groups.get(name);
  }

  /** All groups by name. The map is live: it changes as members are added and deleted. */
  get entries(): ReadonlyMap<string, ReadonlySet<M>> {
    return this.#groups;
  }
}

/** The two-way index of rooms and members. It is pure: it does no I/O, knows no time and takes names as they are. */
export class Rooms<M extends RoomMember> extends Groups<M> {
  /** Puts the member into the room. Joining a room twice is the same as joining it once. */
  join(member: M, room: string): void {
    const { rooms } = member;
    if (rooms === room || (typeof rooms === "object" && rooms.has(room))) return;
    this.add(room, member);
    if (rooms === undefined) member.rooms = room;
    else setOf(member, rooms).add(room);
  }

  /** Takes the member out of the room, if it is in there. */
  leave(member: M, room: string): void {
    const { rooms } = member;
    if (rooms === room) member.rooms = undefined;
    else if (typeof rooms !== "object" || !rooms.delete(room)) return;
    this.delete(room, member);
  }

  /** Takes the member out of the index, but keeps the field that {@link roomsOf} reads. */
  remove(member: M): void {
    const { rooms } = member;
    if (typeof rooms === "string") this.delete(rooms, member);
    else if (rooms !== undefined) for (const room of rooms) this.delete(room, member);
  }
}

/**
 * Returns the rooms of a member as a live set: an iteration also meets the rooms that are joined meanwhile. This
 * creates the set for a member that had none.
 */
export function roomsOf(member: RoomMember): ReadonlySet<string> | undefined {
  const { rooms } = member;
  return rooms === undefined ? undefined : setOf(member, rooms);
}

/**
 * Tells whether the member would be in more than `most` rooms if it joined `names` too. The cost is that of these
 * names, however many rooms the member is in.
 */
export function wouldExceed(most: number, { rooms }: RoomMember, names: readonly string[]): boolean {
  const count = typeof rooms === "object" ? rooms.size : rooms === undefined ? 0 : 1;
  if (count + names.length <= most) return false;
  const added = names.filter((name) => (typeof rooms === "object" ? !rooms.has(name) : name !== rooms));
  return count + new Set(added).size > most;
}

/** Returns the member's set of rooms, and creates it if necessary. A member that has a set keeps it. */
function setOf(member: RoomMember, rooms: Set<string> | string): Set<string> {
  return typeof rooms === "object" ? rooms : (member.rooms = new Set([rooms]));
}

/** The name of one room, or the names of several. */
export type RoomNames = string | readonly string[];

/**
 * Checks and flattens the names that a caller gave. A name may have at most `maxLength` characters.
 *
 * @throws {HubError} `ERR_HUB_ROOM_NAME`, before anything is done with any of the names.
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
  if (!name.isWellFormed()) {
    throw new HubError("ERR_HUB_ROOM_NAME", "A room's name must be well-formed: this one has half a surrogate pair.");
  }
}
