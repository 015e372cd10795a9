import { setImmediate as turn } from "node:timers/promises";
import type { Clock, Timer } from "../../../src/time/clock.ts";

/** A pause of the event loop: before which of its steps, counted from the last one, and for how long. */
export interface Pause {
  readonly steps: number;
  readonly length: number;
}

/**
 * An event loop whose time is the test's. In each turn it sees which timers were due when the turn began, then reads what
 * had arrived by then, then runs these timers and other real immediates. It may stand still before any of these.
 */
export class PausingLoop implements Clock {
  readonly #pauses: Pause[];
  readonly #alarms = new Set<{ readonly due: number; readonly callback: () => void }>();
  readonly #arrivals: { readonly at: number; readonly isReadable: () => boolean; readonly read: () => void }[] = [];
  #now = 0;
  #steps = 0;

  constructor(pauses: readonly Pause[]) {
    this.#pauses = [...pauses];
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delay: number): Timer {
    const alarm = { due: this.#now + Math.max(delay, 1), callback };
    this.#alarms.add(alarm);
    return { cancel: () => void this.#alarms.delete(alarm) };
  }

  /** Something will arrive after `delay`, and is read in the first turn after that in which it may be. */
  arriveIn(delay: number, isReadable: () => boolean, read: () => void): void {
    this.#arrivals.push({ at: this.#now + delay, isReadable, read });
  }

  async run(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    while (this.#now < end) {
      this.#step();
      const due = [...this.#alarms].filter((alarm) => alarm.due <= this.#now).toSorted((a, b) => a.due - b.due);
      for (const alarm of due) {
        if (!this.#alarms.delete(alarm)) continue;
        setImmediate(alarm.callback);
        this.#step();
      }
      for (const arrival of this.#arrivals.splice(0)) {
        if (arrival.at > this.#now || !arrival.isReadable()) this.#arrivals.push(arrival);
        else arrival.read();
      }
      setImmediate(() => this.#step());
      // oxlint-disable-next-line no-await-in-loop -- this is the loop
      await turn();
      this.#now++;
    }
  }

  /** Stands still here, if it is time for the next pause. */
  #step(): void {
    this.#steps++;
    const [pause] = this.#pauses;
    if (pause === undefined || this.#steps < pause.steps) return;
    this.#pauses.shift();
    this.#steps = 0;
    this.#now += pause.length;
  }
}
