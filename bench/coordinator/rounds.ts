/**
 * The order of the peers in one round: forwards, then backwards, so that over two rounds each has the same average place
 * and whatever grows or wanes meanwhile touches all alike.
 */
export function orderOf<P>(peers: readonly P[], round: number): readonly P[] {
  return round % 2 === 0 ? peers : peers.toReversed();
}
