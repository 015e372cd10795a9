import { MAX_DELAY } from "../checks/option-rules.ts";
import type { Clock, Timer } from "../time/clock.ts";

export interface LingeringParts {
  readonly clock: Clock;
  /** Returns the time until which a user is kept who begins to wait now: never earlier than for those before. */
  readonly keptUntil: () => number;
  /** Called for a user who was not back in time. */
  readonly expired: (user: string) => void;
}

/** P4: the users whose last socket has gone, and who may be back in time. */
export class Lingering {
  readonly #parts: LingeringParts;
  /** The users, and the time until which each is kept, the earliest first. */
  readonly #users = new Map<string, number>();
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(parts: LingeringParts) {
    this.#parts = parts;
  }

  add(user: string): void {
    this.#users.set(user, this.#parts.keptUntil());
    this.#watch();
  }

  delete(user: string): void {
    this.#users.delete(user);
  }

  /** Keeps all as long as if they had begun now. */
  extend(): void {
    for (const user of this.#users.keys()) this.#users.set(user, this.#parts.keptUntil());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #watch(): void {
    const { clock } = this.#parts;
    const [until] = this.#users.values();
    if (this.#timer !== undefined || this.#isStopped || until === undefined) return;
    this.#timer = clock.setTimeout(
      () => {
        this.#timer = undefined;
        this.#expire();
        this.#watch();
      },
      Math.min(Math.max(until - clock.now(), 1), MAX_DELAY),
    );
  }

  #expire(): void {
    const now = this.#parts.clock.now();
    for (const [user, until] of this.#users) {
      if (until > now) return;
      this.#users.delete(user);
      this.#parts.expired(user);
    }
  }
}
