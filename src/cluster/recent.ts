import type { Clock } from "../time/clock.ts";

/** The entries of a generation, above which the next one begins early. */
const MOST = 50_000;

/** A map that forgets: an entry is kept for a time after it was set, and at most for twice that time. */
export class Recent<V> {
  readonly #clock: Clock;
  readonly #time: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  #turned: number;

  /** @param time - how long an entry is kept at least, in milliseconds, while there are fewer than {@link MOST}. */
  constructor(clock: Clock, time: number) {
    this.#clock = clock;
    this.#time = time;
    this.#turned = clock.now();
  }

  get(key: string): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: string, value: V): void {
    const now = this.#clock.now();
    if (now - this.#turned >= this.#time || this.#young.size >= MOST) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#turned = now;
    }
    this.#young.set(key, value);
  }
}
