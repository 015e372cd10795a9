import { expect } from "vitest";
import type { Finding } from "./checker.ts";
import { engineCut, engineStalled, emitterKilled, nodeDrained, nodeFrozen, nodeKilled } from "./faults.ts";
import { Run, type Engine, type Fault, type RunSettings } from "./run.ts";

/** `SEED=2 npx vitest run test/system/recovery` runs others. */
export const seed: number = Number(process.env["SEED"] ?? 1);

/** Number of programs on an engine: three nodes, and an emitter. */
export const PROGRAMS = 4;

/** The most time that a run takes, in milliseconds, on a machine that has much else to do. */
export const MOST_TIME = 600_000;

/** What ends without costing anybody an event, where there is more than one node. */
export const HANDOVERS: readonly Fault[] = [nodeKilled, emitterKilled, nodeFrozen, nodeDrained];

/** What happens to the network without costing anybody an event. */
export const OUTAGES: readonly Fault[] = [engineCut, engineCut, engineCut, engineStalled];

/** What is told of a run: the first violations, and the gaps. */
type Proof = Pick<Finding, "violations" | "gaps">;

/** What a run comes to in which every client hears everything, and of no gap. */
export const COMPLETE: Proof = { violations: [], gaps: {} };

/** What a run comes to in which clients are told of gaps, where it lost something. */
export const HONEST: Proof = { violations: [], gaps: expect.objectContaining({ epoch: expect.any(Number) }) };

/** Runs programs and clients on an engine, and looks whether somebody loses something,
 * gets it twice or in another order, and is not told of a gap. */
export async function prove(
  engine: Engine,
  faults: readonly Fault[],
  settings: Partial<RunSettings> = {},
): Promise<Proof> {
  const programs = { nodes: PROGRAMS - 1, emitters: 1 };
  const { violations, gaps } = await Run.perform({ seed, engine, faults, ...programs, ...settings });
  return { violations: violations.slice(0, 10), gaps };
}
