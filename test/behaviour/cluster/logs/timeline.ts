import type { Clock, Timer } from "../../../../src/time/clock.ts";

interface Step {
  readonly due: number;
  readonly number: number;
  readonly run: () => void;
}

/** Virtual time: what is due runs one after the other, and between two steps everything settles that can. */
export class Timeline implements Clock {
  #steps: Step[] = [];
  #now = 0;
  #count = 0;

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delay: number): Timer {
    const step = { due: this.#now + delay, number: this.#count++, run: callback };
    let index = this.#steps.length;
    while (index > 0 && (this.#steps[index - 1] as Step).due > step.due) index--;
    this.#steps.splice(index, 0, step);
    return { cancel: () => (this.#steps = this.#steps.filter((other) => other !== step)) };
  }

  async runUntil(time: number): Promise<void> {
    for (let step = this.#steps[0]; step !== undefined && step.due <= time; step = this.#steps[0]) {
      this.#steps.shift();
      this.#now = step.due;
      step.run();
      // More than any chain of promises in what is tested has links.
      for (let link = 0; link < 16; link++) await Promise.resolve();
    }
    this.#now = time;
  }
}
