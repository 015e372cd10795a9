import type { ConnectionOptions, NatsConnection } from "@nats-io/transport-node";
import type { Backplane } from "../backplane.ts";
import { HubError } from "../../errors.ts";
import { checkOptions, hasFunctions, isObject, isText } from "../../checks/option-rules.ts";
import { loadLibrary } from "./library.ts";
import { borrowed, own } from "./session.ts";
import { SupervisedBackplane } from "../shared/supervised.ts";

/** Where NATS is. */
export interface NatsOptions {
  /** The address of a server, or of several of one cluster. Default: `nats://127.0.0.1:4222`. */
  readonly servers?: string | readonly string[] | undefined;

  /** What else the package's `connect()` takes, such as credentials and TLS. How it reconnects is the backplane's business. */
  readonly options?: Omit<ConnectionOptions, "servers"> | undefined;

  /**
   * In place of the others: a connection of the application's. It is not closed. Give it `noEcho: true`, or the node is sent
   * everything that it sends itself, and ignores it.
   */
  readonly connection?: NatsConnection | undefined;

  /** What all subjects begin with, for several clusters on one engine: a token of a subject. Default: `"roomcast"`. */
  readonly prefix?: string | undefined;
}

const RULES = {
  servers: [
    "an address, or an array of addresses",
    (value: unknown): boolean => isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText)),
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
} as const;

/**
 * Connects hubs over NATS, by its core publish/subscribe, with the package `@nats-io/transport-node` of version 3, which has to be
 * installed.
 *
 * @example
 * const hub = new Hub({ backplane: nats({ servers: "nats://nats.internal:4222" }) });
 * @throws {HubError} `ERR_HUB_OPTION`, `ERR_HUB_BACKPLANE_UNAVAILABLE` where the package is missing.
 */
export function nats(options: NatsOptions = {}): Backplane {
  const given = checkOptions(options, RULES, "nats()") as NatsOptions;
  const { connection, servers = "nats://127.0.0.1:4222", prefix = "roomcast" } = given;
  if (connection === undefined) {
    const connect = loadLibrary().connect;
    const addresses = typeof servers === "string" ? servers : [...servers];
    return new SupervisedBackplane(true, own(connect, { ...given.options, servers: addresses }, prefix));
  }
  if (given.servers !== undefined || given.options !== undefined) {
    throw new HubError("ERR_HUB_OPTION", 'Give nats() either "connection" or "servers" and "options".');
  }
  return new SupervisedBackplane(true, borrowed(connection, prefix));
}
