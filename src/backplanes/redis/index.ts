/**
 * The backplane on Redis: {@link redis}. It needs the package `redis`.
 *
 * @module roomcast/backplanes/redis
 */

import type * as Redis from "redis";
import type { Backplane } from "../backplane.ts";
import { HubError } from "../../errors.ts";
import { loadPackage } from "../../checks/optional-package.ts";
import { checkOptions, hasFunctions, isText } from "../../checks/option-rules.ts";
import { kindOf, singleAt, type RedisTemplate } from "./copies.ts";
import { connectTo } from "./session.ts";
import { SupervisedBackplane } from "../shared/supervised.ts";

/** Options of {@link redis}. */
export interface RedisOptions {
  /**
   * The address of a single server: `redis://user:password@host:port`, or `rediss://` for TLS. User and password are
   * percent-encoded, as `encodeURIComponent` does. It has no database number, because publish/subscribe knows no
   * databases; see `prefix`. Default: `redis://127.0.0.1:6379`.
   */
  readonly url?: string | undefined;

  /**
   * The result of `createClient`, `createCluster` or `createSentinel` of the package `redis`, in place of `url`. The
   * backplane makes connections of its own with the same settings, but for a prefix of keys and the number of a
   * database. It neither uses nor closes this client, which need not be connected.
   */
  readonly client?: RedisTemplate | undefined;

  /**
   * The prefix of all channels, and of the keys of records, which tells apart several clusters on one engine. Database
   * numbers do not: what is published on one is heard on all of them, and records are in database 0. Default:
   * `"roomcast"`.
   */
  readonly prefix?: string | undefined;
}

const RULES = {
  url: [
    'an address such as "redis://user:password@127.0.0.1:6379". Encode the user and the password with ' +
      'encodeURIComponent, and leave out the database number: the option "prefix" separates applications, and ' +
      "databases do not",
    (value: unknown): boolean => typeof value === "string" && isAddress(value),
  ],
  client: [
    'what createClient(), createCluster() or createSentinel() of the package "redis" returned',
    (value: unknown): boolean => isClient(value),
  ],
  prefix: ["a string that is not empty", isText],
} as const;

/**
 * Connects hubs over Redis 7 or later, or Valkey: a single server, servers that Sentinel watches, or a Cluster. It uses
 * sharded publish/subscribe and the package `redis`, version 6, which has to be installed. It keeps the records of rooms in
 * streams, one for each room.
 *
 * In a Cluster, order holds for each room, and otherwise for the channels that one server carries.
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
  const template =
    client ?? singleAt(loadPackage("redis", unavailable) as typeof Redis, url ?? "redis://127.0.0.1:6379");
  return new SupervisedBackplane(kindOf(template) !== "cluster", connectTo(template, `${prefix}:`), true);
}

/** Returns whether the package can read an address, and everything in it has an effect. */
function isAddress(value: string): boolean {
  if (!/^rediss?:\/\//.test(value) || !URL.canParse(value)) return false;
  const { hostname, username, password, pathname, search, hash } = new URL(value);
  return hostname !== "" && /^\/?0?$/.test(pathname + search + hash) && isEncoded(username) && isEncoded(password);
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function isClient(value: unknown): boolean {
  // The package returns objects of several classes, and some of them are proxies.
  return hasFunctions(value, "duplicate", "connect", "sSubscribe");
}

function unavailable(cause: unknown): HubError {
  return new HubError(
    "ERR_HUB_BACKPLANE_UNAVAILABLE",
    'The backplane needs the package "redis", version 6. Install it: npm install redis.',
    { cause },
  );
}
