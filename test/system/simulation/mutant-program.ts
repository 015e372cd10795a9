import { Simulation } from "roomcast/testing";
import { presenceOf } from "../../../examples/simulation/presence.ts";
import { scenarioOf, type ScenarioOptions } from "../../../examples/simulation/scenario.ts";

export interface MutantOptions extends ScenarioOptions {
  /** Whether it is about who is present, and not about records. Default: `false`. */
  readonly isPresence?: boolean;
}

/** Simulates seeds until one fails. Returns this seed and why; `undefined` if none does. */
export async function firstFailure(
  seeds: Iterable<number>,
  options: MutantOptions,
): Promise<{ readonly seed: number; readonly why: string } | undefined> {
  for (const seed of seeds) {
    try {
      const scenario = (options.isPresence === true ? presenceOf : scenarioOf)(seed, options);
      const { counts, reads, violations } = await new Simulation(scenario).run();
      if (violations[0] !== undefined) return { seed, why: violations[0] };
      if (options.isCalm !== true) continue;
      if (Object.keys(counts.gaps).length > 0) return { seed, why: "a gap without a fault" };
      if (reads > (scenario.nodes ?? 0) * Object.keys(scenario.rooms).length)
        return { seed, why: "a read without a fault" };
    } catch (error) {
      return { seed, why: String(error) };
    }
  }
  return undefined;
}
