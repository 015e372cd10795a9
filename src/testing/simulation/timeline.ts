import { setImmediate } from "node:timers";
import { HubError } from "../../errors.ts";
import type { Timer } from "../../time/clock.ts";

/** What the steps of a simulation belong to: a node, or everything else. */
export interface Owner {
  /** Runs a step, now or later, or never. */
  execute(step: () => void): void;
}

interface Step {
  readonly due: number;
  readonly number: number;
  readonly owner: Owner;
  readonly run: () => void;
  isCancelled: boolean;
}

/** Puts something in force while steps run, and takes it back. */
export interface Surroundings {
  enter(): void;
  leave(): void;
}

/** The most steps at one time: activity that goes on for longer never ends. */
const MOST_AT_ONCE = 1_000_000;

/** The most steps for which the surroundings stay in force. */
const BATCH = 256;

/**
 * Virtual time. What is due runs step by step, in the order of the times and, at the same time, of the calls. Between two
 * steps all microtasks run to their end, and nothing else of the process runs.
 */
export class Timeline {
  /** Everything that belongs to no node. */
  readonly world: Owner = { execute: (step) => step() };
  /** A heap: the next step is the first. */
  readonly #steps: Step[] = [];
  #owner: Owner = this.world;
  #now = 0;
  #count = 0;

  /** The milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** What the step that runs belongs to. */
  get owner(): Owner {
    return this.#owner;
  }

  /** Adds a step, `delay` milliseconds from now. */
  schedule(run: () => void, delay: number, owner: Owner = this.#owner): Timer {
    const step: Step = { due: this.#now + delay, number: this.#count++, owner, run, isCancelled: false };
    this.#push(step);
    return { cancel: () => (step.isCancelled = true) };
  }

  /**
   * Runs everything that is due until then.
   *
   * @returns a promise that rejects if a step throws.
   */
  run(until: number, surroundings: Surroundings): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      let atOnce = 0;
      const end = (settle: () => void): void => {
        isOver = true;
        this.#owner = this.world;
        surroundings.leave();
        settle();
      };
      // Node.js runs all microtasks between two immediates, and nothing else between those that were set together.
      const next = (): void => {
        if (isOver) return;
        const step = this.#shift(until);
        if (step === undefined) {
          this.#now = until;
          end(resolve);
          return;
        }
        atOnce = step.due === this.#now ? atOnce + 1 : 0;
        this.#now = step.due;
        this.#owner = step.owner;
        try {
          if (atOnce > MOST_AT_ONCE)
            throw new HubError("ERR_HUB_TIMEOUT", "A simulation does not get any further in time.");
          step.owner.execute(step.run);
        } catch (error) {
          end(() => reject(error));
        }
      };
      const batch = (): void => {
        surroundings.enter();
        for (let count = 0; count < BATCH; count++) setImmediate(next);
        setImmediate(() => {
          if (isOver) return;
          surroundings.leave();
          setImmediate(batch);
        });
      };
      setImmediate(batch);
    });
  }

  #push(step: Step): void {
    const steps = this.#steps;
    let index = steps.length;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const other = steps[parent] as Step;
      if (!isBefore(step, other)) break;
      steps[index] = other;
      index = parent;
    }
    steps[index] = step;
  }

  /** Takes out the next step that is due by then. */
  #shift(until: number): Step | undefined {
    for (;;) {
      const [first] = this.#steps;
      if (first === undefined || first.due > until) return undefined;
      this.#removeFirst();
      if (!first.isCancelled) return first;
    }
  }

  #removeFirst(): void {
    const steps = this.#steps;
    const last = steps.pop() as Step;
    if (steps.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= steps.length) break;
      if (child + 1 < steps.length && isBefore(steps[child + 1] as Step, steps[child] as Step)) child++;
      const other = steps[child] as Step;
      if (!isBefore(other, last)) break;
      steps[index] = other;
      index = child;
    }
    steps[index] = last;
  }
}

function isBefore(one: Step, other: Step): boolean {
  return one.due === other.due ? one.number < other.number : one.due < other.due;
}
