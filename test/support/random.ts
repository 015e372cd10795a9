import { randomOf } from "../../bench/statistics/random.ts";

/** Choices that a seed determines. */
export class Random {
  /** Returns a number from 0 to below 1. */
  readonly next: () => number;

  constructor(seed: number) {
    this.next = randomOf(seed);
  }

  /** A whole number, both limits included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<V>(values: readonly V[]): V {
    return values[this.between(0, values.length - 1)] as V;
  }

  /** One of the values, each as often as its weight says. */
  weighted<V>(values: readonly (readonly [weight: number, value: V])[]): V {
    let left = this.next() * values.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of values) {
      left -= weight;
      if (left < 0) return value;
    }
    return (values.at(-1) as readonly [number, V])[1];
  }
}
