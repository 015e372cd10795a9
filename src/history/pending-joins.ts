import type { Member } from "../members/member.ts";
import type { Entered } from "../members/recorded-rooms.ts";
import type { Mark } from "../members/room-feed.ts";
import type { Clock } from "../time/clock.ts";

/** The longest time for which a join waits until this node knows the record, in milliseconds. */
const PATIENCE = 5_000;

/** Has a function called when a record is known. Returns a function that calls it off. */
type WhenKnown = (known: () => void) => () => void;

/** A join that waits until this node knows the record of the room. */
interface PendingJoin {
  /** The position that the client has given last. */
  since: unknown;
  readonly entered: Entered[];
  /** The last events that were sent before somebody called for it. */
  readonly marks: Mark[];
  stop: () => void;
}

/** A call for a join. */
interface Call {
  readonly since: unknown;
  readonly entered: Entered | undefined;
  readonly mark: Mark;
}

interface JoinParts extends Call {
  readonly whenKnown: WhenKnown;
  readonly act: (isKnown: boolean, join: Pick<PendingJoin, "since" | "entered" | "marks">) => void;
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
  follows(member: Member, room: string, { since, entered, mark }: Call): boolean {
    const join = this.#joins.get(member)?.get(room);
    if (join === undefined) return false;
    if (entered !== undefined) join.entered.push(entered);
    join.since = since ?? join.since;
    join.marks.push(mark);
    return true;
  }

  /** Resolves when the joins that wait now do so no more. */
  async settled(): Promise<void> {
    const settled: Promise<void>[] = [];
    for (const joins of this.#joins.values()) {
      for (const { entered } of joins.values()) settled.push(new Promise((resolve) => entered.push(() => resolve())));
    }
    await Promise.all(settled);
  }

  /**
   * Joins when the record is known, at once if it is, or when that lasts too long.
   *
   * @param act - called with whether it is known, and with the join.
   */
  add(member: Member, room: string, { since, whenKnown, entered, mark, act }: JoinParts): void {
    let isOver = false;
    const join: PendingJoin = { since, entered: entered === undefined ? [] : [entered], marks: [mark], stop: () => {} };
    const end = (isKnown: boolean): void => {
      if (isOver) return;
      isOver = true;
      this.remove(member, room);
      act(isKnown, join);
    };
    const callOff = whenKnown(() => end(true));
    // It may have been called by now.
    if (isOver as boolean) return;
    const timer = this.#clock.setTimeout(() => end(false), PATIENCE);
    join.stop = () => {
      isOver = true;
      callOff();
      timer.cancel();
    };
    let joins = this.#joins.get(member);
    if (joins === undefined) this.#joins.set(member, (joins = new Map()));
    joins.set(room, join);
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
    for (const room of this.#joins.get(member)?.keys() ?? []) {
      for (const call of this.remove(member, room) ?? []) call(true);
    }
  }

  stop(): void {
    for (const member of this.#joins.keys()) this.end(member);
  }
}
