import type { Fault } from "./fault.ts";
import { Simulation, type SimulationOptions } from "./simulation.ts";

/**
 * Looks for a shorter script of faults with which a simulation still fails, by leaving out as many as it can.
 *
 * @returns a promise of the script; of `undefined` if the simulation does not fail.
 */
export async function shrinkFaults(options: SimulationOptions): Promise<readonly Fault[] | undefined> {
  const isFailing = async (faults: readonly Fault[]): Promise<boolean> => {
    const { violations } = await new Simulation({ ...options, journal: false, faults }).run();
    return violations.length > 0;
  };
  let { faults, violations } = await new Simulation(options).run();
  if (violations.length === 0) return undefined;
  for (let length = Math.ceil(faults.length / 2); length >= 1 && faults.length > 0;) {
    let isShorter = false;
    for (let start = 0; start < faults.length;) {
      const left = faults.toSpliced(start, length);
      // oxlint-disable-next-line no-await-in-loop -- each attempt begins with what the one before has left
      if (await isFailing(left)) {
        faults = left;
        isShorter = true;
      } else start += length;
    }
    if (length > 1) length = Math.ceil(length / 2);
    else if (!isShorter) break;
  }
  return faults;
}
