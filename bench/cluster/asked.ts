/** Whether the scenario `cluster`, which has several servers and an engine, is what is asked for. */
export function isClusterRun(args: readonly string[]): boolean {
  return args.some(
    (arg, index) => arg === "--scenario=cluster" || (arg === "--scenario" && args[index + 1] === "cluster"),
  );
}
