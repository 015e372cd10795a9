/** Values with how often they occurred, ascending. */
export type Entries = readonly (readonly [value: number, count: number])[];

/** The smallest value that at least this fraction of all values does not exceed; `NaN` where there are none. */
export function percentile(entries: Entries, fraction: number): number {
  let total = 0;
  for (const [, count] of entries) total += count;
  const rank = Math.max(1, Math.ceil(fraction * total));
  let passed = 0;
  for (const [value, count] of entries) {
    passed += count;
    if (passed >= rank) return value;
  }
  return Number.NaN;
}

/** All of them as one. */
export function merge(lists: readonly Entries[]): Entries {
  const counts = new Map<number, number>();
  for (const [value, count] of lists.flat()) counts.set(value, (counts.get(value) ?? 0) + count);
  return [...counts].toSorted(([a], [b]) => a - b);
}
