import type { Arrivals } from "./arrivals.ts";

const TICK_MILLISECONDS = 10;

/** Looks at regular intervals what has happened meanwhile, so that it need not be looked at with every message. */
export class Pulse {
  /** Ticks in a row without anything to read. */
  quiet = 0;
  /** CPU time of this process as a fraction of one core, from the first tick with something to read to the last. */
  load = 0;
  readonly #arrivals: Arrivals;
  readonly #ticked: () => void;
  readonly #timer: NodeJS.Timeout;
  #reads = 0;
  #cpu: NodeJS.CpuUsage = process.cpuUsage();
  #began: bigint = process.hrtime.bigint();

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
    if (reads === this.#reads) {
      this.quiet++;
      // The server takes its time to begin: to wait for it is no part of the load.
      if (reads === 0) this.#beginLoad();
    } else {
      this.quiet = 0;
      this.#reads = reads;
      const { user, system } = process.cpuUsage(this.#cpu);
      this.load = (user + system) / (Number(process.hrtime.bigint() - this.#began) / 1e3);
    }
    this.#ticked();
  }

  #beginLoad(): void {
    this.#cpu = process.cpuUsage();
    this.#began = process.hrtime.bigint();
  }
}
