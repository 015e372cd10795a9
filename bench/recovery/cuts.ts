import { Lot } from "../scenarios/lot.ts";
import type { Cut, CutKind } from "./messages.ts";

const KINDS: readonly CutKind[] = ["both", "client", "torn"];

/** Milliseconds in a second, into which times are divided. */
const SECOND = 1_000;

/** How a schedule is made. */
export interface CutPlan {
  readonly clients: number;
  /** Seconds that pass between two cuts of one client, on average: by half as much they can be fewer or more. */
  readonly interval: number;
  readonly seconds: number;
  readonly seed: number;
}

/** Returns the cuts of all clients, in the order of their times. They are the same for the same plan. */
export function cutsOf({ clients, interval, seconds, seed }: CutPlan): readonly Cut[] {
  const lot = new Lot(seed);
  const [mean, end] = [interval * SECOND, seconds * SECOND];
  const cuts: Cut[] = [];
  for (let client = 0; client < clients; client++) {
    for (let time = lot.below(mean); time < end; time += mean / 2 + lot.below(mean)) {
      cuts.push({ time, client, kind: KINDS[lot.below(KINDS.length)] as CutKind });
    }
  }
  return cuts.toSorted((a, b) => a.time - b.time);
}
