import { hostname } from "node:os";
import type { Backplane } from "../backplanes/backplane.ts";
import { hasFunctions, isCount, isInteger, isObject, isText, MAX_DELAY, type Options } from "../checks/option-rules.ts";

/** Options for the behaviour of a node towards the others. */
export interface ClusterOptions {
  /**
   * The name of this node in the results of queries and in `hub.nodes`. Default: the host's name and the process's id.
   */
  readonly name: string;
  /** The time without a sign of life after which the others take a node for dead, in milliseconds. Default: 10,000. */
  readonly lease: number;
  /**
   * The time that this node stays subscribed to a room after its last member has left, in milliseconds. Default: 2,000.
   */
  readonly grace: number;
  /**
   * The most bytes that may be on their way to the engine. If the engine is too slow, messages above the limit are
   * lost. The requests of other nodes that handlers of `hub.handleNode` are at work on have a second budget of this size,
   * of which one node may use half of what is free, or any amount with a single request; above it they are refused. Default: 16 MiB.
   */
  readonly maxPendingBytes: number;
}

const CLUSTER_DEFAULTS: ClusterOptions = {
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

/** The settings that connect a hub with the other nodes. */
export interface ClusterSettings {
  /**
   * The backplane that connects this hub with those of other processes, so that clients see one hub: from
   * `roomcast/backplanes/redis`, `roomcast/backplanes/nats` or `roomcast/backplanes/cluster`. All of them need the same
   * codecs and the same contract. Default: none, and this process is alone.
   */
  readonly backplane: Backplane | undefined;
  readonly cluster: ClusterOptions;
}

export const clusterOptions: Options<ClusterSettings> = {
  backplane: {
    default: undefined,
    rule: [
      'an object with the functions "start", "publish", "subscribe", "unsubscribe" and "close"',
      (value) => hasFunctions(value, "start", "publish", "subscribe", "unsubscribe", "close"),
    ],
  },
  cluster: {
    default: CLUSTER_DEFAULTS,
    rule: [
      "an object with some of name, a string, of lease and grace, in whole milliseconds, lease from 30, and of " +
        "maxPendingBytes, a whole number from 1",
      areClusterOptions,
    ],
    isPartial: true,
  },
};

/** Returns whether the value is an object of valid {@link ClusterOptions}. */
function areClusterOptions(value: unknown): boolean {
  return (
    isObject(value) &&
    Object.entries(value).every(
      ([name, given]) =>
        given === undefined || (Object.hasOwn(TESTS, name) && TESTS[name as keyof ClusterOptions](given)),
    )
  );
}
