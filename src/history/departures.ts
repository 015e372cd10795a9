import type { Member } from "../members/member.ts";
import type { Mark } from "../members/room-feed.ts";
import type { Clock, Timer } from "../time/clock.ts";

/** The longest time for which a member that has left is sent what was on its way, in milliseconds. */
const PATIENCE = 1_000;

/** A member that was taken out of a room while events that were sent to it before were on their way. */
export interface Departure {
  readonly member: Member;
  readonly room: string;
  /** The last of these events. */
  readonly mark: Mark;
  /** The rooms that the member was in: what leaves out one of these is not for it. */
  readonly rooms: ReadonlySet<string>;
  readonly done: (() => void)[];
  readonly timer: Timer;
}

interface NewDeparture extends Pick<Departure, "member" | "room" | "mark" | "rooms"> {
  readonly done: () => void;
}

/** The members that were taken out of rooms, and are still sent what was sent there before. */
export class Departures {
  readonly #clock: Clock;
  readonly #byRoom = new Map<string, Set<Departure>>();
  readonly #byMember = new Map<Member, Set<Departure>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param done - called when the member has got everything, or when that lasts too long. */
  add({ done, ...departing }: NewDeparture): void {
    const { member, room } = departing;
    const timer = this.#clock.setTimeout(() => this.#end(departure), PATIENCE);
    const departure: Departure = { ...departing, done: [done], timer };
    addTo(this.#byRoom, room, departure);
    addTo(this.#byMember, member, departure);
  }

  /**
   * Returns the members that are still sent what is recorded of a room: all of it, as their positions move on with it.
   */
  of(room: string): readonly Departure[] {
    return [...(this.#byRoom.get(room) ?? [])];
  }

  /** Returns whether a member is still sent something. */
  has(member: Member): boolean {
    return this.#byMember.has(member);
  }

  /** Calls back for each departure of a member when it ends. Returns their number. */
  whenDone(member: Member, done: () => void): number {
    const departures = this.#byMember.get(member);
    for (const departure of departures ?? []) departure.done.push(done);
    return departures?.size ?? 0;
  }

  /** Ends the departures for which an event was the last one. */
  heard(room: string, { origin, number }: Mark): void {
    for (const departure of this.of(room)) {
      const { mark } = departure;
      if (mark.origin === origin && number >= mark.number) this.#end(departure);
    }
  }

  /** Ends all departures from a room. */
  end(room: string): void {
    for (const departure of this.of(room)) this.#end(departure);
  }

  /** Ends the departures of a member from a room. */
  endOf(member: Member, room: string): void {
    for (const departure of this.#byMember.get(member) ?? []) if (departure.room === room) this.#end(departure);
  }

  stop(): void {
    for (const room of this.#byRoom.keys()) this.end(room);
  }

  #end(departure: Departure): void {
    const { member, room, timer, done } = departure;
    if (!deleteFrom(this.#byRoom, room, departure)) return;
    deleteFrom(this.#byMember, member, departure);
    timer.cancel();
    for (const call of done) call();
  }
}

function addTo<K>(sets: Map<K, Set<Departure>>, key: K, departure: Departure): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([departure]));
  else known.add(departure);
}

/** Returns whether it was there. */
function deleteFrom<K>(sets: Map<K, Set<Departure>>, key: K, departure: Departure): boolean {
  const known = sets.get(key);
  const wasThere = known?.delete(departure) === true;
  if (known?.size === 0) sets.delete(key);
  return wasThere;
}
