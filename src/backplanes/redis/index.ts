import type { Backplane } from "../backplane.ts";
import { HubError } from "../../errors.ts";
import { checkOptions, hasFunctions, isText } from "../../checks/option-rules.ts";
import { connectTo, kindOf, singleAt, type RedisTemplate } from "./session.ts";
import { loadLibrary } from "./library.ts";
import { SupervisedBackplane } from "../shared/supervised.ts";

/** Where Redis is. */
export interface RedisOptions {
  /** A single server: `redis://user:password@host:port`, or `rediss://` for TLS. Default: `redis://127.0.0.1:6379`. */
  readonly url?: string | undefined;

  /**
   * In place of `url`: what `createClient`, `createCluster` or `createSentinel` of the package `redis` returned, connected or not.
   * Its settings are taken for connections of the backplane's own; it is itself neither used nor closed.
   */
  readonly client?: RedisTemplate | undefined;

  /** What all channels begin with, for several clusters on one engine. Default: `"roomcast"`. */
  readonly prefix?: string | undefined;
}

const RULES = {
  url: [
    'an address such as "redis://127.0.0.1:6379"',
    (value: unknown): boolean => typeof value === "string" && /^rediss?:\/\//.test(value),
  ],
  client: [
    'what createClient(), createCluster() or createSentinel() of the package "redis" returned',
    (value: unknown): boolean => isClient(value),
  ],
  prefix: ["a string that is not empty", isText],
} as const;

/**
 * Connects hubs over Redis 7 or later, or Valkey: a single server, one that Sentinel watches, or a Cluster. By sharded
 * publish/subscribe, with the package `redis` of version 6, which has to be installed.
 *
 * In a Cluster, order holds for each room, and for everything else in what one server carries.
 *
 * @example
 * const hub = new Hub({ backplane: redis({ url: "redis://redis.internal:6379" }) });
 * @throws {HubError} `ERR_HUB_OPTION`, `ERR_HUB_BACKPLANE_UNAVAILABLE` where the package is missing.
 */
export function redis(options: RedisOptions = {}): Backplane {
  const { url, client, prefix = "roomcast" } = checkOptions(options, RULES, "redis()") as RedisOptions;
  if (url !== undefined && client !== undefined) {
    throw new HubError("ERR_HUB_OPTION", 'Give redis() either the option "url" or the option "client".');
  }
  const template = client ?? singleAt(loadLibrary(), url ?? "redis://127.0.0.1:6379");
  return new SupervisedBackplane(kindOf(template) !== "cluster", connectTo(template, `${prefix}:`));
}

function isClient(value: unknown): boolean {
  // What the package returns are objects, some of which are proxies.
  return hasFunctions(value, "duplicate", "connect", "sSubscribe");
}
