import type { Member } from "../members/member.ts";
import type { Entered } from "../members/recorded-rooms.ts";
import type { Clock } from "../time/clock.ts";

/** The longest time for which a join waits until this node knows the record, in milliseconds. */
const PATIENCE = 5_000;

/** Has a function called when a record is known. Returns a function that calls it off. */
type WhenKnown = (known: () => void) => () => void;

/** A join that waits until this node knows the record of the room. */
interface PendingJoin {
  readonly entered: Entered[];
  readonly stop: () => void;
}

/** The joins that wait until this node knows the record of their room, which it has to read from the engine. */
export class PendingJoins {
  readonly #clock: Clock;
  readonly #joins = new Map<Member, Map<string, PendingJoin>>();
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Number of joins. */
  get count(): number {
    return this.#count;
  }

  /** Returns the number of rooms into which a member waits to get. */
  countOf(member: Member): number {
    return this.#joins.get(member)?.size ?? 0;
  }

  /** Adds to a join that waits already. Returns whether there is one. */
  follows(member: Member, room: string, entered: Entered | undefined): boolean {
    const join = this.#joins.get(member)?.get(room);
    if (join !== undefined && entered !== undefined) join.entered.push(entered);
    return join !== undefined;
  }

  /**
   * Joins when the record is known, at once if it is, or when that lasts too long.
   *
   * @param act - called with whether it is known, and with what to call when the member is in.
   */
  add(
    member: Member,
    room: string,
    whenKnown: WhenKnown,
    entered: Entered | undefined,
    act: (isKnown: boolean, entered: readonly Entered[]) => void,
  ): void {
    const list = entered === undefined ? [] : [entered];
    let isOver = false;
    const end = (isKnown: boolean): void => {
      if (isOver) return;
      isOver = true;
      this.remove(member, room);
      act(isKnown, list);
    };
    const callOff = whenKnown(() => end(true));
    // It may have been called by now.
    if (isOver as boolean) return;
    const timer = this.#clock.setTimeout(() => end(false), PATIENCE);
    const stop = (): void => {
      isOver = true;
      callOff();
      timer.cancel();
    };
    let joins = this.#joins.get(member);
    if (joins === undefined) this.#joins.set(member, (joins = new Map()));
    joins.set(room, { entered: list, stop });
    this.#count++;
  }

  /** Takes a member off its way into a room. Returns what was to be called when it is in; `undefined` if it does not wait. */
  remove(member: Member, room: string): readonly Entered[] | undefined {
    const joins = this.#joins.get(member);
    const join = joins?.get(room);
    if (joins === undefined || join === undefined) return undefined;
    joins.delete(room);
    this.#count--;
    if (joins.size === 0) this.#joins.delete(member);
    join.stop();
    return join.entered;
  }

  /** Takes a member off all its ways. */
  end(member: Member): void {
    for (const room of this.#joins.get(member)?.keys() ?? []) this.remove(member, room);
  }

  stop(): void {
    for (const member of this.#joins.keys()) this.end(member);
  }
}
