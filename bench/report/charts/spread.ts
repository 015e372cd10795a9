interface Cluster {
  count: number;
  /** The mean of where its labels would start if they stood alone. */
  start: number;
}

/**
 * Moves labels apart, as little as possible: all places differ by at least `gap`, keep their order and stay between `low`
 * and `high` while there is room.
 *
 * @param wanted - Where each label would like to be.
 */
export function spread(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted.map((_, index) => index).toSorted((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const clusters: Cluster[] = [];
  for (const [rank, index] of order.entries()) {
    let cluster: Cluster = { count: 1, start: (wanted[index] ?? 0) - rank * gap };
    for (let above = clusters.at(-1); above !== undefined && above.start > cluster.start; above = clusters.at(-1)) {
      clusters.pop();
      const count = above.count + cluster.count;
      cluster = { count, start: (above.start * above.count + cluster.start * cluster.count) / count };
    }
    clusters.push(cluster);
  }
  const last = high - (wanted.length - 1) * gap;
  const starts = clusters.flatMap(({ count, start }) => Array.from({ length: count }, () => start));
  const places = wanted.map(() => 0);
  for (const [rank, index] of order.entries()) {
    places[index] = Math.max(low, Math.min(last, starts[rank] ?? 0)) + rank * gap;
  }
  return places;
}
