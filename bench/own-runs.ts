/** Runs a scenario with these arguments, and prints what came of it. Returns the exit status. */
type Run = (args: readonly string[]) => Promise<number>;

/** The scenarios that are runs of their own. Each is loaded when it is asked for, because it needs packages that others do not. */
const RUNS: Readonly<Record<string, () => Promise<Run>>> = {
  cluster: async () => (await import("./cluster/benchmark.ts")).runCluster,
  history: async () => (await import("./history/benchmark.ts")).runHistory,
  presence: async () => (await import("./presence/benchmark.ts")).runPresence,
  recovery: async () => (await import("./recovery/benchmark.ts")).runRecovery,
};

/** The names of these scenarios. */
export const OWN_RUNS: readonly string[] = Object.keys(RUNS);

/** Returns the scenario that is asked for, if it is a run of its own. */
export async function ownRunOf(args: readonly string[]): Promise<Run | undefined> {
  for (const [index, arg] of args.entries()) {
    const name = arg === "--scenario" ? args[index + 1] : /^--scenario=(.*)$/.exec(arg)?.[1];
    if (name !== undefined && Object.hasOwn(RUNS, name)) return RUNS[name]?.();
  }
  return undefined;
}
