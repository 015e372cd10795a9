import { onlyRoom, type Audience } from "./audience.ts";
import type { Member } from "./member.ts";
import { Groups, Rooms, type Group, type GroupObserver, type NameObserver } from "../rooms/rooms.ts";

const NONE: readonly ReadonlySet<Member>[] = [];

/** Hears of who is there at all. */
export interface PresenceObserver {
  readonly rooms: NameObserver;
  readonly users: NameObserver;
  /** The first member is there, or the last one has gone. */
  readonly everybody: (areAny: boolean) => void;
}

/** All open members of this node, by id, by room and by user. */
export class Members {
  readonly #byId = new Map<string, Member>();
  readonly #byUser: Groups<Member>;
  readonly #observer: GroupObserver<Member> | undefined;
  readonly #presence: PresenceObserver | undefined;
  readonly rooms: Rooms<Member>;
  #epoch = 0;

  /** `observer` hears of everybody and of the rooms. */
  constructor(observer?: GroupObserver<Member>, presence?: PresenceObserver) {
    this.#observer = observer;
    this.#presence = presence;
    this.#byUser = new Groups(undefined, presence?.users);
    this.rooms = new Rooms(observer, presence?.rooms);
  }

  /** Live. */
  get all(): ReadonlyMap<string, Member> {
    return this.#byId;
  }

  add(member: Member): void {
    this.#observer?.changing();
    this.#byId.set(member.id, member);
    this.#observer?.joined(this.#byId, member);
    if (this.#byId.size === 1) this.#presence?.everybody(true);
    if (member.user !== undefined) this.#byUser.add(member.user.id, member);
  }

  /** The member is found nowhere any more; `roomsOf` still tells where it was. */
  remove(member: Member): void {
    this.#observer?.changing();
    this.#byId.delete(member.id);
    this.#observer?.left(this.#byId, member);
    if (this.#byId.size === 0) this.#presence?.everybody(false);
    if (member.user !== undefined) this.#byUser.delete(member.user.id, member);
    this.rooms.remove(member);
  }

  /** Whether there is anybody in these rooms, of these users, or at all. Sockets and exceptions are not looked at. */
  areThere({ everybody, rooms, users }: Audience): boolean {
    if (everybody) return this.#byId.size > 0;
    return (
      rooms.some((room) => this.rooms.get(room) !== undefined) ||
      users.some((user) => this.#byUser.get(user) !== undefined)
    );
  }

  /** The observed group that this audience is, if it is one, or one less at most one socket: see `exceptionOf`. */
  groupOf(audience: Audience): Group<Member> | undefined {
    if (audience.exceptRooms.length > 0 || audience.exceptSockets.length > 1) return undefined;
    if (audience.everybody) return this.#byId;
    const room = onlyRoom(audience);
    return room === undefined ? undefined : this.rooms.get(room);
  }

  /** The member that such an audience leaves out of its group, if it is in there at all. */
  exceptionOf(audience: Audience): Member | undefined {
    const [id] = audience.exceptSockets;
    const member = id === undefined ? undefined : this.#byId.get(id);
    const room = onlyRoom(audience);
    return member === undefined || room === undefined || this.rooms.get(room)?.has(member) === true
      ? member
      : undefined;
  }

  /**
   * Visits every member of the audience once. `visit` may join, leave and close what it is given.
   *
   * The cost is that of the members named, however many others there are. Every visited member is stamped with the
   * number of this call, so that a union needs no set; an excluded socket is stamped beforehand. Excluded rooms are
   * looked up member by member instead: stamping one would cost what *it* holds.
   */
  forEach(audience: Audience, visit: (member: Member) => void): void {
    const epoch = ++this.#epoch;
    for (const id of audience.exceptSockets) {
      const member = this.#byId.get(id);
      if (member !== undefined) member.stamp = epoch;
    }
    const excluded = audience.exceptRooms.length === 0 ? NONE : this.#roomsOf(audience.exceptRooms);

    if (audience.everybody) visitNew(this.#byId.values(), epoch, excluded, visit);
    for (const room of audience.rooms) {
      const members = this.rooms.get(room);
      if (members !== undefined) visitNew(members, epoch, excluded, visit);
    }
    for (const id of audience.users) {
      const members = this.#byUser.get(id);
      if (members !== undefined) visitNew(members, epoch, excluded, visit);
    }
    for (const id of audience.sockets) {
      const member = this.#byId.get(id);
      if (member !== undefined) visitNew([member], epoch, excluded, visit);
    }
  }

  #roomsOf(names: readonly string[]): readonly ReadonlySet<Member>[] {
    return names.map((name) => this.rooms.get(name)).filter((members) => members !== undefined);
  }
}

function visitNew(
  members: Iterable<Member>,
  epoch: number,
  excluded: readonly ReadonlySet<Member>[],
  visit: (member: Member) => void,
): void {
  for (const member of members) {
    if (member.stamp === epoch) continue;
    member.stamp = epoch;
    if (excluded.some((room) => room.has(member))) continue;
    visit(member);
  }
}
