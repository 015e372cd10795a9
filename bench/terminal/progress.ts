import type { WriteStream } from "node:tty";
import type { Job, Watcher } from "../coordinator/benchmark.ts";
import { dashed } from "../command-line.ts";
import type { Phase, Slice } from "../figures.ts";

/** Where nobody sees a line rewritten, one now and then shows that the run goes on. In milliseconds. */
const SELDOM = 30_000;

const CLEAR_LINE = "\r\u001B[K";

/** Shows how far a run is: one line that is rewritten where there is a terminal. */
export class Progress implements Watcher {
  readonly #output: WriteStream;
  readonly #times: Record<Phase, { milliseconds: number; slices: number }> = {
    capacity: { milliseconds: 0, slices: 0 },
    latency: { milliseconds: 0, slices: 0 },
  };
  /** Slices that there were to be run at the beginning. */
  #planned = 0;
  #began = performance.now();
  #lastLine = this.#began;

  constructor(output: WriteStream) {
    this.#output = output;
  }

  begins(job: Job, left: Readonly<Record<Phase, number>>): void {
    this.#began = performance.now();
    const remaining = left.capacity + left.latency;
    this.#planned ||= remaining;
    const percentage = Math.floor(100 * (1 - remaining / this.#planned));
    const { scenario, trial, phase, peer, round } = job;
    const time = this.#timeLeft(left);
    const words = [`${percentage} %`, time, scenario.name, trial.name, phase, `round ${round + 1}`, dashed(peer)];
    this.#show(words.filter((word) => word !== "").join(" · "));
  }

  ended(slice: Slice): void {
    const times = this.#times[slice.phase];
    times.milliseconds += performance.now() - this.#began;
    times.slices++;
  }

  clear(): void {
    if (this.#output.isTTY) this.#output.write(CLEAR_LINE);
  }

  #show(line: string): void {
    if (this.#output.isTTY) {
      this.#output.write(CLEAR_LINE + line.slice(0, this.#output.columns - 1));
    } else if (this.#began - this.#lastLine > SELDOM) {
      this.#lastLine = this.#began;
      this.#output.write(`${line}\n`);
    }
  }

  /** Slices of the phase that has not begun yet are taken to be like those of the other. */
  #timeLeft(left: Readonly<Record<Phase, number>>): string {
    const { capacity, latency } = this.#times;
    if (capacity.slices === 0) return "";
    const each = { capacity: capacity.milliseconds / capacity.slices, latency: latency.milliseconds / latency.slices };
    const ofLatency = latency.slices === 0 ? each.capacity : each.latency;
    const seconds = (left.capacity * each.capacity + left.latency * ofLatency) / 1000;
    return seconds < 90 ? `${Math.ceil(seconds)} s left` : `${Math.ceil(seconds / 60)} min left`;
  }
}
