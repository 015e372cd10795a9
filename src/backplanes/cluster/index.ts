/**
 * The backplane of the workers of `node:cluster`: {@link cluster}, and {@link setupPrimary} in the primary process.
 *
 * @module roomcast/backplanes/cluster
 */

import nodeCluster from "node:cluster";
import type { Backplane } from "../backplane.ts";
import { checkOptions, isCount, isText } from "../../checks/option-rules.ts";
import { routePrimary } from "./primary.ts";
import { connectInPrimary, connectWorker } from "./session.ts";
import { SupervisedBackplane } from "../shared/supervised.ts";

/** Options of {@link cluster}. */
export interface ClusterBackplaneOptions {
  /** The prefix of all channels, which tells apart several clusters of one program. Default: `"roomcast"`. */
  readonly prefix?: string | undefined;
}

/** Options of {@link setupPrimary}. */
export interface PrimaryOptions {
  /**
   * The most bytes that the primary process keeps of the records of all rooms. Above, the oldest events of the room go
   * first that was silent longest. Default: 64 MiB.
   */
  readonly maxBytes?: number | undefined;
}

/**
 * Lets the workers of `node:cluster` reach each other. Call it in the primary process before that forks: it makes the
 * workers use `serialization: "advanced"`, because the messages contain bytes. Other messages between the workers and
 * the primary process are left alone. The primary process also keeps the records of rooms.
 *
 * Calling it again changes `maxBytes`, if that is given.
 *
 * @throws {HubError} `ERR_HUB_OPTION`.
 */
export function setupPrimary(options: PrimaryOptions = {}): void {
  const rules = { maxBytes: ["a whole number of bytes from 1", isCount] } as const;
  const { maxBytes } = checkOptions(options, rules, "setupPrimary()") as PrimaryOptions;
  nodeCluster.setupPrimary({ serialization: "advanced" });
  const { log } = routePrimary();
  if (maxBytes !== undefined) log.maxBytes = maxBytes;
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
    true,
  );
}
