import type { Random } from "../random.ts";

/** What can befall a simulation. Each is explained in `docs/TESTING.md`. */
export const FAULTS = [
  "cut",
  "cut-all",
  "half-open",
  "slow",
  "reload",
  "leave",
  "forge",
  "kill",
  "freeze",
  "drain",
  "forget",
  "silence",
  "delay",
  "partition",
  "disconnect",
  "refuse",
  "lose-message",
  "lose-word",
  "outage",
  "restart-empty",
  "restart-shorter",
  "flush",
  "evict",
] as const;

export type FaultKind = (typeof FAULTS)[number];

/** Something that goes wrong. */
export interface Fault {
  readonly kind: FaultKind;
  /** The time, in milliseconds since the beginning. */
  readonly time: number;
  /** What it befalls, among all that it could: a number from 0 to below 1. */
  readonly target: number;
  /** How long it lasts, or how much it takes: a number from 0 to below 1. */
  readonly extent: number;
}

/** How often each fault occurs, beside the others. */
const WEIGHTS: Readonly<Record<FaultKind, number>> = {
  cut: 12,
  "cut-all": 2,
  "half-open": 2,
  slow: 6,
  reload: 3,
  leave: 4,
  forge: 1,
  kill: 2,
  freeze: 2,
  drain: 1,
  forget: 0.5,
  silence: 0.1,
  delay: 2,
  partition: 2,
  disconnect: 6,
  refuse: 1,
  "lose-message": 4,
  "lose-word": 4,
  outage: 1.5,
  "restart-empty": 0.5,
  "restart-shorter": 1,
  flush: 0.4,
  evict: 0.6,
};

/** Chooses faults of these kinds at random, in the order of their times. */
export function chooseFaults(
  random: Random,
  kinds: readonly FaultKind[],
  duration: number,
  pause: number,
): readonly Fault[] {
  if (kinds.length === 0) return [];
  const faults: Fault[] = [];
  const choices = kinds.map((kind) => [WEIGHTS[kind], kind] as const);
  for (let time = random.next() * 2 * pause; time < duration; time += random.next() * 2 * pause) {
    faults.push({ kind: random.weighted(choices), time, target: random.next(), extent: random.next() });
  }
  return faults;
}
