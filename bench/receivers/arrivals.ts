import { now, TIME_MODULUS } from "../stamp.ts";
import { Histogram } from "./histogram.ts";
import type { MutableViolations } from "./ledger.ts";
import { NO_VIOLATIONS } from "./messages.ts";

/** What has arrived on all connections since a measurement began, and which of them have ended. */
export class Arrivals {
  readonly latencies: Histogram = new Histogram();
  readonly violations: MutableViolations = { ...NO_VIOLATIONS };
  /** Messages that belonged where they arrived, each once. */
  deliveries = 0;
  bytes = 0;
  reads = 0;
  first = 0;
  last = 0;
  #now = 0;
  #nowInStamps = 0;
  #waiting: Waiting[] = [];
  /** The least that anybody waits for. */
  #limit = Number.POSITIVE_INFINITY;

  /** Everything is counted from 0, but for the connections that have ended since the last tally. Until something arrives, its first and last are now. */
  begin(): void {
    this.latencies.clear();
    for (const violation of Object.keys(this.violations) as (keyof MutableViolations)[]) {
      if (violation !== "closed") this.violations[violation] = 0;
    }
    this.deliveries = this.bytes = this.reads = 0;
    this.first = this.last = now();
    this.#waiting = [];
    this.#limit = Number.POSITIVE_INFINITY;
  }

  /** Calls back once, after the read that makes it so many deliveries. */
  when(deliveries: number, reached: () => void): void {
    this.#waiting.push({ deliveries, reached });
    this.#limit = Math.min(this.#limit, deliveries);
  }

  /** The clock is read once for all that one read holds. */
  beginRead(bytes: number): void {
    this.reads++;
    this.bytes += bytes;
    this.#now = now();
    this.#nowInStamps = this.#now % TIME_MODULUS;
  }

  /** @param time - when it was meant to leave, as stamps have it. */
  deliver(time: number): void {
    const latency = this.#nowInStamps - time;
    this.deliveries++;
    this.latencies.record(latency >= 0 ? latency : wrapped(latency));
  }

  /** @param deliveries - how many there were before this read. */
  endRead(deliveries: number): void {
    if (this.deliveries === deliveries) return;
    if (deliveries === 0) this.first = this.#now;
    this.last = this.#now;
    if (this.deliveries >= this.#limit) this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#limit = Number.POSITIVE_INFINITY;
    for (const { deliveries, reached } of waiting) {
      if (this.deliveries >= deliveries) reached();
      else this.when(deliveries, reached);
    }
  }
}

interface Waiting {
  readonly deliveries: number;
  readonly reached: () => void;
}

/** Either the modulus lies between the two times, or the message left a little before it was meant to. */
function wrapped(latency: number): number {
  return latency < -TIME_MODULUS / 2 ? latency + TIME_MODULUS : 0;
}
