/** The users of a room on one node, as far as they are known here. */
export interface NodeSet {
  /** The id of the node; an empty string without a backplane. */
  readonly node: string;
  /** Number of users. */
  count: number;
}

/** A user in the set of one node. */
export interface Place {
  readonly set: NodeSet;
  /** The time since which the user is in this set. No other place in a set of the same node has the same time. */
  since: number;
  data: unknown;
  /** The time when the data was set; 0 if it was not. */
  dataSince: number;
  /** The same user in the set of another node. */
  next: Place | undefined;
}

/** How a user has left the set of a node. */
export interface Departure {
  readonly node: string;
  readonly since: number;
  /** The time when it left; the time when it came, if nobody knows. */
  readonly left: number;
}

/** What a change of a set means for the union of the sets: the user came, went, or has other data. */
export type Effect = "in" | "out" | "change";

/** The users of a room on all nodes: the union of their sets. */
export class People {
  readonly #places = new Map<string, Place>();
  /** The last departures of users that are still in the set of another node. */
  readonly #departures = new Map<string, Departure>();

  get size(): number {
    return this.#places.size;
  }

  has(user: string): boolean {
    return this.#places.has(user);
  }

  /** A live map of the users, each with one of its places. */
  get places(): ReadonlyMap<string, Place> {
    return this.#places;
  }

  /** Returns the place of a user in a set. */
  placeIn(set: NodeSet, user: string): Place | undefined {
    let place = this.#places.get(user);
    while (place !== undefined && place.set !== set) place = place.next;
    return place;
  }

  /** Returns the place with the data of a user that was set last. */
  latestOf(user: string): Place | undefined {
    const first = this.#places.get(user);
    let latest = first;
    for (let place = first?.next; place !== undefined; place = place.next) {
      if (isLater(place, latest as Place)) latest = place;
    }
    return latest;
  }

  /** Puts a user into a set, or changes its data there. */
  put(set: NodeSet, user: string, since: number, data: unknown, dataSince: number): Effect | undefined {
    const before = this.latestOf(user);
    const [oldData, oldSince] = [before?.data, before?.dataSince];
    const place = this.placeIn(set, user);
    if (place === undefined) {
      set.count++;
      this.#places.set(user, { set, since, data, dataSince, next: this.#places.get(user) });
    } else {
      place.since = since;
      place.data = data;
      place.dataSince = dataSince;
    }
    if (before === undefined) return "in";
    const after = this.latestOf(user) as Place;
    return isSame(oldData, oldSince as number, after) ? undefined : "change";
  }

  /** Takes a user out of a set. Nothing happens to a user that is not in there. */
  remove(set: NodeSet, user: string, left?: number): Effect | undefined {
    const place = this.placeIn(set, user);
    if (place === undefined) return undefined;
    const before = this.latestOf(user) as Place;
    const departure = { node: set.node, since: place.since, left: left ?? place.since };
    set.count--;
    this.#unlink(user, place);
    const earlier = this.#departures.get(user);
    if (earlier === undefined || isAfter(departure, earlier)) this.#departures.set(user, departure);
    const after = this.latestOf(user);
    if (after === undefined) return "out";
    return isSame(before.data, before.dataSince, after) ? undefined : "change";
  }

  /** Returns the last departure of a user, and forgets it, because the user is out. */
  takeDeparture(user: string): Departure | undefined {
    const departure = this.#departures.get(user);
    this.#departures.delete(user);
    return departure;
  }

  /** Returns the users in a set. */
  usersIn(set: NodeSet): string[] {
    const users: string[] = [];
    if (set.count === 0) return users;
    for (const user of this.#places.keys()) if (this.placeIn(set, user) !== undefined) users.push(user);
    return users;
  }

  #unlink(user: string, place: Place): void {
    const first = this.#places.get(user) as Place;
    if (first === place) {
      if (place.next === undefined) this.#places.delete(user);
      else this.#places.set(user, place.next);
      return;
    }
    let previous = first;
    while (previous.next !== place) previous = previous.next as Place;
    previous.next = place.next;
  }
}

/** All nodes choose the same of two places, also of two that were set at the same time. */
function isLater(one: Place, other: Place): boolean {
  return one.dataSince > other.dataSince || (one.dataSince === other.dataSince && one.set.node > other.set.node);
}

function isAfter(one: Departure, other: Departure): boolean {
  return one.left > other.left || (one.left === other.left && one.node > other.node);
}

function isSame(data: unknown, dataSince: number, { data: other, dataSince: otherSince }: Place): boolean {
  return dataSince === otherSince && (data === other || JSON.stringify(data) === JSON.stringify(other));
}
