/** Choices that a seed determines. */
export class Random {
  /** Returns a number from 0 to below 1. */
  readonly next: () => number;

  /** @param seed - a whole number. */
  constructor(seed: number) {
    this.next = numbersOf(seed);
  }

  /** Returns a whole number, both limits included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** Returns `true` with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Returns one of the values, each as often as the others. */
  pick<V>(values: readonly V[]): V {
    return values[this.between(0, values.length - 1)] as V;
  }

  /** Returns one of the values, each as often as its weight says. */
  weighted<V>(values: readonly (readonly [weight: number, value: V])[]): V {
    let left = this.next() * values.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of values) {
      left -= weight;
      if (left < 0) return value;
    }
    return (values.at(-1) as readonly [number, V])[1];
  }

  /** Returns choices of their own: what is chosen with them does not change what is chosen here. */
  fork(): Random {
    return new Random(this.between(0, 2 ** 32 - 1));
  }
}

/** The generator mulberry32. */
function numbersOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
