import { now } from "../stamp.ts";
import type { ServerFigures } from "./messages.ts";
import { Meter } from "./meter.ts";
import type { Source } from "./source.ts";

/** One measurement, from now on. */
export class Measurement {
  readonly #source: Source;
  readonly #meter = new Meter();
  #began = now();

  constructor(source: Source) {
    this.#source = source;
  }

  /** Begins anew a moment later, with meters that have settled: for loads that begin when this process lets them. */
  async settle(): Promise<void> {
    await this.#meter.settle();
    this.#began = now();
  }

  /**
   * Ends it.
   *
   * @param ended - when the last message was sent.
   */
  async figures(ended: number, joins: number): Promise<ServerFigures> {
    const { sent, deliveries } = this.#source;
    const measured = await this.#meter.read();
    return { ...measured, began: this.#began, ended, sent, deliveries, joins };
  }
}
