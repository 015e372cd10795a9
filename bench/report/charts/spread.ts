/**
 * Moves labels apart: all places differ by at least `gap`, keep their order and stay between `low` and `high` while there
 * is room.
 *
 * @param wanted - Where each label would like to be.
 */
export function spread(wanted: readonly number[], gap: number, low: number, high: number): readonly number[] {
  const order = wanted.map((place, index) => ({ place, index })).toSorted((a, b) => a.place - b.place);
  const last = order.length - 1;
  // Pushed downwards only and upwards only; what lies in the middle between the two keeps the gap as they do.
  let [down, up] = [low - gap, high + gap];
  const downs = order.map(({ place }, rank) => {
    down = Math.min(Math.max(place, down + gap), high - (last - rank) * gap);
    return down;
  });
  const ups = order.toReversed().map(({ place }, rank) => {
    up = Math.max(Math.min(place, up - gap), low + (last - rank) * gap);
    return up;
  });
  const places = new Map(order.map(({ index }, rank) => [index, ((downs[rank] ?? 0) + (ups[last - rank] ?? 0)) / 2]));
  return wanted.map((place, index) => places.get(index) ?? place);
}
