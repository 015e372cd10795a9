import { onlyRoom, type Audience } from "./audience.ts";
import type { Member } from "./member.ts";
import {
  Groups,
  Rooms,
  type Group,
  type GroupObserver,
  type MemberObserver,
  type NameObserver,
} from "../rooms/rooms.ts";

const NONE: readonly ReadonlySet<Member>[] = [];

/** Observes which rooms and users have members on this node. */
export interface NameObservers {
  readonly rooms: NameObserver;
  readonly users: NameObserver;
  /** Called with `true` when the first member of all has connected, and with `false` when the last one has gone. */
  everybody(areAny: boolean): void;
}

/** All open members of this node, by id, by room and by user. */
export class Members {
  readonly #byId = new Map<string, Member>();
  readonly #byUser: Groups<Member>;
  readonly #observer: GroupObserver<Member> | undefined;
  readonly #names: NameObservers | undefined;
  readonly rooms: Rooms<Member>;
  #epoch = 0;

  /**
   * @param observer - hears of changes of the rooms and of the group of all members.
   * @param inRooms - hears which member has entered or left which room.
   */
  constructor(observer?: GroupObserver<Member>, names?: NameObservers, inRooms?: MemberObserver<Member>) {
    this.#observer = observer;
    this.#names = names;
    this.#byUser = new Groups(undefined, names?.users);
    this.rooms = new Rooms(observer, names?.rooms, inRooms);
  }

  /** A live map of all members by id. */
  get all(): ReadonlyMap<string, Member> {
    return this.#byId;
  }

  /** Adds a member, which is in no room yet. */
  add(member: Member): void {
    this.#observer?.changing();
    this.#byId.set(member.id, member);
    this.#observer?.joined(this.#byId, member);
    if (this.#byId.size === 1) this.#names?.everybody(true);
    if (member.user !== undefined) this.#byUser.add(member.user.id, member);
  }

  /** Removes a member everywhere; `roomsOf` still tells where it was. */
  remove(member: Member): void {
    this.#observer?.changing();
    this.#byId.delete(member.id);
    this.#observer?.left(this.#byId, member);
    if (this.#byId.size === 0) this.#names?.everybody(false);
    if (member.user !== undefined) this.#byUser.delete(member.user.id, member);
    this.rooms.remove(member);
  }

  /**
   * Returns whether these rooms and users, or the group of all, have a member. Named sockets and exceptions are not
   * looked at.
   */
  areThere({ everybody, rooms, users }: Audience): boolean {
    if (everybody) return this.#byId.size > 0;
    return (
      rooms.some((room) => this.rooms.get(room) !== undefined) ||
      users.some((user) => this.#byUser.get(user) !== undefined)
    );
  }

  /** Returns the observed group that the audience consists of, with at most one exception: see {@link exceptionOf}. */
  groupOf(audience: Audience): Group<Member> | undefined {
    if (audience.exceptRooms.length > 0 || audience.exceptSockets.length > 1) return undefined;
    if (audience.everybody) return this.#byId;
    const room = onlyRoom(audience);
    return room === undefined ? undefined : this.rooms.get(room);
  }

  /** Returns the member that such an audience leaves out of its group, if that member belongs to the group. */
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
   * looked up member by member instead: stamping a room would cost as much as it has members.
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
