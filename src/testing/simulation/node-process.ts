import type { Clock, Timer } from "../../time/clock.ts";
import type { Owner, Timeline } from "./timeline.ts";

/** What the wall clock shows at the beginning: the same in every run. */
const START = Date.UTC(2000, 0, 1);

/** The process of one node: its clock, and the steps that stop with it. */
export class NodeProcess implements Clock, Owner {
  readonly #timeline: Timeline;
  #state: "running" | "frozen" | "dead" = "running";
  #held: (() => void)[] = [];

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** Whether it runs, and has not only stopped for a while. */
  get isRunning(): boolean {
    return this.#state === "running";
  }

  now(): number {
    return this.#timeline.now;
  }

  wall(): number {
    return START + this.#timeline.now;
  }

  setTimeout(callback: () => void, delay: number): Timer {
    return this.#timeline.schedule(callback, Math.max(delay, 1), this);
  }

  /** Has a step run as one of this process. */
  defer(step: () => void): void {
    this.#timeline.schedule(step, 0, this);
  }

  execute(step: () => void): void {
    if (this.#state === "running") step();
    else if (this.#state === "frozen") this.#held.push(step);
  }

  /** Stops, until it is thawed. */
  freeze(): void {
    if (this.#state === "running") this.#state = "frozen";
  }

  thaw(): void {
    if (this.#state !== "frozen") return;
    this.#state = "running";
    for (const step of this.#held.splice(0)) this.defer(step);
  }

  /** Ends at once: nothing of it runs any more. */
  kill(): void {
    this.#state = "dead";
    this.#held = [];
  }
}
