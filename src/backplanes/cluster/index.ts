import nodeCluster from "node:cluster";
import type { Backplane } from "../backplane.ts";
import { checkOptions, isText } from "../../checks/option-rules.ts";
import { routePrimary } from "./primary.ts";
import { connectInPrimary, connectWorker } from "./session.ts";
import { SupervisedBackplane } from "../shared/supervised.ts";

/** Options of {@link cluster}. */
export interface ClusterBackplaneOptions {
  /** The prefix of all channels, which tells apart several clusters of one program. Default: `"roomcast"`. */
  readonly prefix?: string | undefined;
}

/**
 * Lets the workers of `node:cluster` reach each other. Call it in the primary process before that forks: it makes the
 * workers use `serialization: "advanced"`, because the messages contain bytes. Other messages between the workers and
 * the primary process are left alone.
 *
 * Calling it again does nothing.
 */
export function setupPrimary(): void {
  nodeCluster.setupPrimary({ serialization: "advanced" });
  routePrimary();
}

/**
 * Connects the hubs in the workers of `node:cluster`, and in their primary process, without any server: the primary
 * process hands what one hub publishes to the hubs that have subscribed to it. The primary process has to call
 * {@link setupPrimary} before it forks.
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
