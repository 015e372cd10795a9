import type { Entries } from "../statistics/latencies.ts";

/** Classes between a power of two and the next, as a power of two: the middle of one is at most 0.8 % off. */
const PRECISION = 6;
const HALF = 1 << PRECISION;

/** The greatest value that is told from others: two minutes in microseconds. */
export const GREATEST = 120_000_000;

/**
 * How often which latency occurred, in microseconds. Below 128 each value has a class of its own; above, classes grow with
 * the value. What exceeds {@link GREATEST} counts in the last class.
 */
export class Histogram {
  readonly #counts = new Uint32Array(classOf(GREATEST) + 1);

  /** @param value - an integer, 0 or more. */
  record(value: number): void {
    const index = classOf(value > GREATEST ? GREATEST : value);
    this.#counts[index] = (this.#counts[index] as number) + 1;
  }

  clear(): void {
    this.#counts.fill(0);
  }

  /** The middle of each class that is not empty, and what is in it. */
  entries(): Entries {
    const entries: [value: number, count: number][] = [];
    for (const [index, count] of this.#counts.entries()) if (count > 0) entries.push([middleOf(index), count]);
    return entries;
  }
}

function classOf(value: number): number {
  const shift = Math.max(0, 31 - PRECISION - Math.clz32(value));
  return (shift << PRECISION) + (value >>> shift);
}

function middleOf(index: number): number {
  if (index < 2 * HALF) return index;
  const shift = (index >> PRECISION) - 1;
  const least = (index - (shift << PRECISION)) * 2 ** shift;
  return least + (2 ** shift - 1) / 2;
}
