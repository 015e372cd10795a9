import nodeCluster from "node:cluster";
import type { Backplane } from "../backplane.ts";
import { checkOptions, isText } from "../../checks/option-rules.ts";
import { routePrimary } from "./primary.ts";
import { connectInPrimary, connectWorker } from "./session.ts";
import { SupervisedBackplane } from "../shared/supervised.ts";

/** How the processes of one machine are connected. */
export interface ClusterBackplaneOptions {
  /** What tells apart several clusters of one program. Default: `"roomcast"`. */
  readonly prefix?: string | undefined;
}

/**
 * Lets the workers of `node:cluster` reach each other. To be called in the primary process before it forks: it makes the workers
 * speak with `serialization: "advanced"`, as bytes have to be carried. Other messages between workers and primary are left alone.
 *
 * Calling it again does nothing.
 */
export function setupPrimary(): void {
  nodeCluster.setupPrimary({ serialization: "advanced" });
  routePrimary();
}

/**
 * Connects the hubs in the workers of `node:cluster`, and in their primary process, without any server: the primary hands on what
 * one publishes to those who have subscribed to it. The primary has to call {@link setupPrimary} before it forks.
 *
 * @example
 * if (nodeCluster.isPrimary) {
 *   setupPrimary();
 *   for (let index = 0; index < availableParallelism(); index++) nodeCluster.fork();
 * } else {
 *   const hub = new Hub({ backplane: cluster() });
 *   await hub.listen(8080);
 * }
 * @throws {HubError} `ERR_HUB_OPTION`.
 */
export function cluster(options: ClusterBackplaneOptions = {}): Backplane {
  const { prefix = "roomcast" } = checkOptions(
    options,
    { prefix: ["a string that is not empty", isText] },
    "cluster()",
  ) as ClusterBackplaneOptions;
  return new SupervisedBackplane(
    true,
    nodeCluster.isWorker ? connectWorker(`${prefix}:`) : connectInPrimary(`${prefix}:`),
  );
}
