import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import type { ServerFigures } from "./messages.ts";

/** How often the event loop is asked for its delay, in milliseconds. */
const RESOLUTION = 10;

const NANOSECONDS = 1e6;

type Measured = Pick<ServerFigures, "user" | "system" | "eventLoopDelay" | "gc" | "peakResident">;

/** What this process uses, from now on. */
export class Meter {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  readonly #collections: PerformanceObserver;
  #gc = 0;
  #cpu: NodeJS.CpuUsage;

  constructor() {
    this.#collections = new PerformanceObserver((list) => this.#add(list.getEntries()));
    this.#collections.observe({ entryTypes: ["gc"] });
    this.#delay.enable();
    // Last, so that what metering costs is not measured.
    this.#cpu = process.cpuUsage();
  }

  /** Begins anew once a stall can be seen: the first look at the event loop has none before it to be late against. */
  async settle(): Promise<void> {
    await setTimeout(2 * RESOLUTION);
    this.#gc = 0;
    this.#cpu = process.cpuUsage();
  }

  /** Ends it. What happens meanwhile is not measured: it waits for the look that sees the last stall. */
  async read(): Promise<Measured> {
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#add(this.#collections.takeRecords());
    this.#collections.disconnect();
    await setTimeout(RESOLUTION);
    this.#delay.disable();
    return {
      user,
      system,
      eventLoopDelay: {
        p50: excess(this.#delay.percentile(50)),
        p99: excess(this.#delay.percentile(99)),
        max: excess(this.#delay.max),
      },
      gc: this.#gc,
      peakResident: process.resourceUsage().maxRSS * 1024,
    };
  }

  #add(entries: readonly { readonly duration: number }[]): void {
    for (const { duration } of entries) this.#gc += duration;
  }
}

/** Node records the time from one look to the next, of which the interval was asked for. */
function excess(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION);
}
