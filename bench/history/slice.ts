import { Disturbance } from "../coordinator/disturbance.ts";
import { ForkedStage } from "../coordinator/forked-stage.ts";
import type { Pinning } from "../coordinator/pinning.ts";

export type HubName = "hub on ws" | "hub on uws";

/** How the server of a slice is set up. */
export interface SliceSetup {
  readonly peer: HubName;
  readonly pinning: Pinning;
  /** Where it is entered what other programs used meanwhile, as a fraction of one core. */
  readonly disturbances: number[];
  /** Bytes of a message. */
  readonly size: number;
  readonly compression?: boolean;
  /** The pattern of the rooms that are recorded; absent for none. */
  readonly recorded?: string;
}

/** Room names that the pattern {@link RECORDED_ROOMS} matches, and names that it does not. */
export const RECORDED_ROOMS = "r*";

/** Runs one measurement on a fresh server. */
export async function onStage<R>(
  { compression = false, disturbances, ...setup }: SliceSetup,
  measure: (stage: ForkedStage) => Promise<R>,
): Promise<R> {
  const disturbance = new Disturbance();
  const stage = new ForkedStage({ ...setup, compression, dialect: "websocket", flags: [] });
  try {
    await stage.opened();
    const measured = await measure(stage);
    const others = disturbance.since(stage.pids);
    if (others !== undefined) disturbances.push(others);
    return measured;
  } finally {
    await stage.close();
  }
}
