import { Simulation } from "roomcast/testing";
import { scenarioOf, type ScenarioOptions } from "../../../simulation/scenario.ts";

/** Simulates seeds until one fails. Returns this seed and why; `undefined` if none does. */
export async function firstFailure(
  seeds: number,
  options: ScenarioOptions,
): Promise<{ readonly seed: number; readonly why: string } | undefined> {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      const { counts, violations } = await new Simulation(scenarioOf(seed, options)).run();
      if (violations[0] !== undefined) return { seed, why: violations[0] };
      if (options.isCalm === true && Object.keys(counts.gaps).length > 0) return { seed, why: "a gap without a fault" };
    } catch (error) {
      return { seed, why: String(error) };
    }
  }
  return undefined;
}
