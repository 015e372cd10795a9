import { hostname } from "node:os";
import { isCount, isInteger, isObject, isText, MAX_DELAY } from "../checks/option-rules.ts";

/** How a node behaves towards the others. */
export interface ClusterOptions {
  /** What this node is called in the results of queries and in `hub.nodes`. Default: the host's name and the process's id. */
  readonly name: string;
  /** After how long without a sign of life the others take a node for dead, in milliseconds. Default: 10,000. */
  readonly lease: number;
  /** How long this node goes on listening to a room that its last member has left, in milliseconds. Default: 2,000. */
  readonly grace: number;
  /**
   * The most that may be on its way to the engine, in bytes. What is above it, because the engine is too slow, is lost. Default:
   * 16 MiB.
   */
  readonly maxPendingBytes: number;
}

export const CLUSTER_DEFAULTS: ClusterOptions = {
  name: `${hostname()}:${process.pid}`,
  lease: 10_000,
  grace: 2_000,
  maxPendingBytes: 16 * 1024 * 1024,
};

const TESTS: { readonly [K in keyof ClusterOptions]: (value: unknown) => boolean } = {
  name: isText,
  lease: (value) => isInteger(value, 30, MAX_DELAY),
  grace: (value) => isInteger(value, 0, MAX_DELAY),
  maxPendingBytes: isCount,
};

/** Whether it may be given as the option `cluster`. */
export function isClusterOptions(value: unknown): boolean {
  return (
    isObject(value) &&
    Object.entries(value).every(
      ([name, given]) =>
        given === undefined || (Object.hasOwn(TESTS, name) && TESTS[name as keyof ClusterOptions](given)),
    )
  );
}
