import type { Member } from "../members/member.ts";
import type { Clock, Timer } from "../time/clock.ts";

/** The most changes of data of one socket in {@link PERIOD}. */
const MOST = 5;

/** In milliseconds. */
const PERIOD = 10_000;

/** What one socket has changed. */
interface Changes {
  /** The times of the last changes. */
  readonly times: number[];
  /** The changes that wait, by room: only the newest counts. */
  readonly waiting: Map<string, () => void>;
  isWaiting: boolean;
}

/** Bounds the changes of data of each socket. What is too much waits, and only the newest data of a room counts. */
export class DataChanges {
  readonly #clock: Clock;
  readonly #changes = new WeakMap<Member, Changes>();
  readonly #timers = new Set<Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes a change now, or as soon as the socket may change something again. */
  add(member: Member, room: string, change: () => void): void {
    let changes = this.#changes.get(member);
    if (changes === undefined)
      this.#changes.set(member, (changes = { times: [], waiting: new Map(), isWaiting: false }));
    changes.waiting.set(room, change);
    this.#make(changes);
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
  }

  #make(changes: Changes): void {
    const now = this.#clock.now();
    const { times, waiting } = changes;
    while (times.length > 0 && now - (times[0] as number) >= PERIOD) times.shift();
    for (const [room, change] of waiting) {
      if (times.length >= MOST) break;
      times.push(now);
      waiting.delete(room);
      change();
    }
    if (waiting.size === 0 || changes.isWaiting) return;
    changes.isWaiting = true;
    const timer = this.#clock.setTimeout(
      () => {
        this.#timers.delete(timer);
        changes.isWaiting = false;
        this.#make(changes);
      },
      Math.max((times[0] as number) + PERIOD - now, 1),
    );
    this.#timers.add(timer);
  }
}
