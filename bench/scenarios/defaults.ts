import type { TrialOptions } from "./scenario.ts";

/** Seconds for one measurement. */
export function secondsOf({ seconds, full }: TrialOptions): number {
  return seconds ?? (full ? 1 : 0.25);
}

/** Every pair of the two. */
export function combine<A, B, R>(
  first: readonly A[],
  second: readonly B[],
  make: (first: A, second: B) => R,
): readonly R[] {
  return first.flatMap((one) => second.map((other) => make(one, other)));
}

/** One at least. */
export function atLeastOne(count: number): number {
  return Math.max(1, Math.round(count));
}
