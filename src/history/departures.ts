import type { Member } from "../members/member.ts";
import type { Mark } from "../members/room-feed.ts";
import type { Clock, Timer } from "../time/clock.ts";

/** The longest time for which a member that has left is sent what was on its way, in milliseconds. */
const PATIENCE = 1_000;

/** A member that was taken out of a room while events that were sent to it before were on their way. */
export interface Departure {
  readonly member: Member;
  /** The last of these events. */
  readonly mark: Mark;
  /** The rooms that the member was in: what leaves out one of these is not for it. */
  readonly rooms: ReadonlySet<string>;
  readonly done: (() => void)[];
  readonly timer: Timer;
}

interface NewDeparture extends Pick<Departure, "member" | "mark" | "rooms"> {
  readonly room: string;
  readonly done: () => void;
}

/** The members that were taken out of rooms, and are still sent what was sent there before. */
export class Departures {
  readonly #clock: Clock;
  readonly #byRoom = new Map<string, Set<Departure>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param done - called when the member has got everything, or when that lasts too long. */
  add({ member, room, mark, rooms, done }: NewDeparture): void {
    let departures = this.#byRoom.get(room);
    if (departures === undefined) this.#byRoom.set(room, (departures = new Set()));
    const timer = this.#clock.setTimeout(() => this.#end(room, departure), PATIENCE);
    const departure: Departure = { member, mark, rooms, done: [done], timer };
    departures.add(departure);
  }

  /**
   * Returns the members that are still sent what is recorded of a room: all of it, as their positions move on with it.
   */
  of(room: string): readonly Departure[] {
    return [...(this.#byRoom.get(room) ?? [])];
  }

  /** Returns whether a member is still sent something. */
  has(member: Member): boolean {
    for (const departures of this.#byRoom.values()) {
      for (const departure of departures) if (departure.member === member) return true;
    }
    return false;
  }

  /** Calls back for each departure of a member when it ends. Returns their number. */
  whenDone(member: Member, done: () => void): number {
    let count = 0;
    for (const departures of this.#byRoom.values()) {
      for (const departure of departures) {
        if (departure.member !== member) continue;
        departure.done.push(done);
        count++;
      }
    }
    return count;
  }

  /** Ends the departures for which an event was the last one. */
  heard(room: string, { origin, number }: Mark): void {
    for (const departure of this.#byRoom.get(room) ?? []) {
      const { mark } = departure;
      if (mark.origin === origin && number >= mark.number) this.#end(room, departure);
    }
  }

  /** Ends all departures from a room, or those of one member. */
  end(room: string, member?: Member): void {
    for (const departure of this.#byRoom.get(room) ?? []) {
      if (member === undefined || departure.member === member) this.#end(room, departure);
    }
  }

  stop(): void {
    for (const room of this.#byRoom.keys()) this.end(room);
  }

  #end(room: string, departure: Departure): void {
    const departures = this.#byRoom.get(room);
    if (departures?.delete(departure) !== true) return;
    if (departures.size === 0) this.#byRoom.delete(room);
    departure.timer.cancel();
    for (const done of departure.done) done();
  }
}
