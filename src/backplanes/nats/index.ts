/**
 * The backplane on NATS: {@link nats}. It needs the package `@nats-io/transport-node`.
 *
 * @module roomcast/backplanes/nats
 */

import { isIPv6 } from "node:net";
import type * as Nats from "@nats-io/transport-node";
import type { Backplane } from "../backplane.ts";
import { HubError } from "../../errors.ts";
import { loadPackage } from "../../checks/optional-package.ts";
import { checkOptions, hasFunctions, isInteger, isObject, isText } from "../../checks/option-rules.ts";
import { connectOwn, connectShared } from "./session.ts";
import { SupervisedBackplane } from "../shared/supervised.ts";

/** Options of {@link nats}. */
export interface NatsOptions {
  /**
   * The address of a server, or of several of one cluster, whose other servers the backplane learns of. Default:
   * `nats://127.0.0.1:4222`.
   */
  readonly servers?: string | readonly string[] | undefined;

  /**
   * Further options of the package's `connect()`, such as credentials and TLS. Options about reconnecting have no
   * effect, because the backplane reconnects by itself. `timeout`, which each server has for its answer, is 2,000 ms if
   * it is not given. Default: none.
   */
  readonly options?: Omit<Nats.ConnectionOptions, "servers"> | undefined;

  /**
   * A connection that belongs to the application, in place of `servers` and `options`. The backplane does not close it.
   * Create it with `noEcho: true`: otherwise the node receives everything that it sends itself, and ignores it.
   */
  readonly connection?: Nats.NatsConnection | undefined;

  /**
   * The first token of all subjects, which tells apart several clusters on one engine. Default: `"roomcast"`.
   */
  readonly prefix?: string | undefined;

  /**
   * How JetStream keeps the records of rooms, in streams that the backplane makes when something is recorded. A stream that
   * exists stays as it is. Default: `{ storage: "file", replicas: 1 }`.
   */
  readonly records?: NatsRecordOptions | undefined;
}

/** How JetStream keeps the records of rooms. */
export interface NatsRecordOptions {
  /** Whether they are kept in files, and survive a restart of the server, or in memory. Default: `"file"`. */
  readonly storage?: "file" | "memory" | undefined;
  /** On how many servers of a cluster they are kept, from 1 to 5. Default: 1. */
  readonly replicas?: number | undefined;
}

const RULES = {
  servers: [
    'an address such as "nats://127.0.0.1:4222", or an array of addresses',
    (value: unknown): boolean =>
      isAddress(value) || (Array.isArray(value) && value.length > 0 && value.every(isAddress)),
  ],
  options: [
    "an object with options of connect() other than servers",
    (value: unknown): boolean => isObject(value) && !("servers" in value),
  ],
  connection: [
    'a connection of the package "@nats-io/transport-node"',
    (value: unknown): boolean => hasFunctions(value, "publish", "subscribe", "flush", "status"),
  ],
  prefix: [
    "a string without spaces, dots, * and >",
    (value: unknown): boolean => typeof value === "string" && /^[^\s.*>]+$/.test(value),
  ],
  records: ["an object { storage, replicas }", isObject],
} as const;

const RECORD_RULES = {
  storage: ['"file" or "memory"', (value: unknown): boolean => value === "file" || value === "memory"],
  replicas: ["a whole number from 1 to 5", (value: unknown): boolean => isInteger(value, 1, 5)],
} as const;

/**
 * Connects hubs over NATS, with its core publish/subscribe and the package `@nats-io/transport-node`, version 3, which
 * has to be installed.
 *
 * @example
 * const hub = new Hub({ backplane: nats({ servers: "nats://nats.internal:4222" }) });
 * @throws {HubError} `ERR_HUB_OPTION`, `ERR_HUB_BACKPLANE_UNAVAILABLE` where the package is missing.
 */
export function nats(options: NatsOptions = {}): Backplane {
  const given = checkOptions(options, RULES, "nats()") as NatsOptions;
  const { connection, servers = "nats://127.0.0.1:4222", prefix = "roomcast" } = given;
  const { storage = "file", replicas = 1 } = checkOptions(
    given.records ?? {},
    RECORD_RULES,
    'the option "records" of nats()',
  ) as NatsRecordOptions;
  if (connection !== undefined && (given.servers !== undefined || given.options !== undefined)) {
    throw new HubError("ERR_HUB_OPTION", 'Give nats() either "connection" or "servers" and "options".');
  }
  const { connect, headers } = loadPackage("@nats-io/transport-node", unavailable) as typeof Nats;
  const settings = { prefix, streams: { storage, replicas }, createHeaders: headers, seen: new Map() };
  if (connection !== undefined) return new SupervisedBackplane(true, connectShared(connection, settings), true);
  const addresses = typeof servers === "string" ? servers : [...servers];
  return new SupervisedBackplane(true, connectOwn(connect, { ...given.options, servers: addresses }, settings), true);
}

/** Returns whether the package can read an address. It takes one without a protocol, and an IPv6 one without brackets. */
function isAddress(value: unknown): boolean {
  if (!isText(value)) return false;
  const host = (value as string).trim().replace(/^.*:\/\//, "");
  return isIPv6(host) || URL.canParse(`http://${host}`);
}

function unavailable(cause: unknown): HubError {
  return new HubError(
    "ERR_HUB_BACKPLANE_UNAVAILABLE",
    'The backplane needs the package "@nats-io/transport-node", version 3. Install it: npm install @nats-io/transport-node.',
    { cause },
  );
}
