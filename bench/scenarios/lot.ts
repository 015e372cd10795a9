import { randomOf } from "../statistics/random.ts";

/** Draws that are the same for the same seed. */
export class Lot {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  /** Some of them, none twice. */
  draw<T>(count: number, from: readonly T[]): T[] {
    const rest = [...from];
    return Array.from({ length: Math.min(count, rest.length) }, () => rest.splice(this.below(rest.length), 1)).flat();
  }
}
