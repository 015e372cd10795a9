import type { Arrivals } from "./arrivals.ts";

const TICK_MILLISECONDS = 10;

/** Looks at regular intervals what has happened meanwhile, so that it need not be looked at with every message. */
export class Pulse {
  /** Ticks in a row without anything to read. */
  quiet = 0;
  /** CPU time of this process as a fraction of one core, until the last tick with something to read. */
  load = 0;
  readonly #arrivals: Arrivals;
  readonly #ticked: () => void;
  readonly #cpu: NodeJS.CpuUsage = process.cpuUsage();
  readonly #began: bigint = process.hrtime.bigint();
  readonly #timer: NodeJS.Timeout;
  #reads = 0;

  constructor(arrivals: Arrivals, ticked: () => void) {
    this.#arrivals = arrivals;
    this.#ticked = ticked;
    this.#timer = setInterval(() => this.#tick(), TICK_MILLISECONDS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const { reads } = this.#arrivals;
    if (reads === this.#reads) this.quiet++;
    else {
      this.quiet = 0;
      this.#reads = reads;
      const { user, system } = process.cpuUsage(this.#cpu);
      this.load = (user + system) / (Number(process.hrtime.bigint() - this.#began) / 1e3);
    }
    this.#ticked();
  }
}
