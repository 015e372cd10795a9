import { Buffer } from "node:buffer";
import type { IdempotencyOptions } from "../inbound/idempotency.ts";
import type { Backplane } from "../backplanes/backplane.ts";
import { systemClock, type Clock } from "../time/clock.ts";
import { CLUSTER_DEFAULTS, isClusterOptions, type ClusterOptions } from "../cluster/options.ts";
import type { HubContract } from "../contract/hub-side.ts";
import { isOrigins, type Origins } from "../door/origins.ts";
import { isTrustProxy, type TrustProxy } from "../door/proxies.ts";
import { HubError } from "../errors.ts";
import type { HubTypes, UserOf } from "../event-types.ts";
import type { Handshake } from "../members/handshake.ts";
import type { HeartbeatOptions } from "../time/heartbeat.ts";
import { areLimits, DEFAULT_LIMITS, type Limits } from "../limits/limits.ts";
import {
  checkOptions,
  hasFunctions,
  isBoolean,
  isCount,
  isInteger,
  isObject,
  isText,
  MAX_DELAY,
  withoutUndefined,
  type Rule,
} from "../checks/option-rules.ts";
import type { OverloadPolicy } from "../delivery/overload.ts";
import { jsonCodec, type Codec } from "../protocol/codec.ts";
import type { Socket } from "./socket.ts";
import type { ListenOptions, Transport } from "../transports/transport.ts";

/** The transports that a configuration can name. */
export type TransportName = "ws" | "uws";

/** How a hub behaves. Every option has a default; an unknown one is an error. */
export interface HubOptions<T extends HubTypes = HubTypes> {
  /**
   * What carries the bytes: `"ws"` (the default), `"uws"`, or an object from `roomcast/transports/ws` or
   * `roomcast/transports/uws` that attaches to a server of the application's. Nothing else changes with it.
   */
  transport?: TransportName | Transport | undefined;

  /** The only URL path to accept, such as `"/chat"`. Default: any path. */
  path?: string | undefined;

  /**
   * The origins whose pages may connect: `"same"` as the host that the page asks for, `"*"` for all, a list such as
   * `["https://example.com"]`, or a function that decides. Others get HTTP status 403. Clients that are no browsers send no
   * `Origin` header, and are not asked.
   *
   * Default: `"same"`. Otherwise every page that a user looks at could connect with that user's cookies.
   */
  origins?: Origins | undefined;

  /**
   * The proxies in front of the server, whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` are believed: how
   * many stand in a row, or their addresses and CIDR ranges. Default: none.
   */
  trustProxy?: TrustProxy | undefined;

  /** The most connections at once, handshakes included. Others get HTTP status 503. Default: no limit. */
  maxConnections?: number | undefined;

  /**
   * The most connections at once from one address, or one /64 of IPv6. Others get HTTP status 429. Behind a proxy it needs
   * `trustProxy`. Default: no limit.
   */
  maxConnectionsPerAddress?: number | undefined;

  /**
   * Decides whether anybody may connect now, before `authenticate`: for shedding load. With `false`, `{ retryAfter }` in
   * milliseconds, or by throwing, the client gets HTTP status 503 and is told when to try again.
   *
   * Default: everybody may.
   */
  admit?: ((handshake: Handshake) => MaybePromise<boolean | { readonly retryAfter: number }>) | undefined;

  /**
   * Decides whether a client may connect, before the handshake is answered. Returns the user, who becomes
   * `socket.user`; with `undefined`, `null` or `false`, or by throwing, the client gets HTTP status 401. What it throws
   * also reaches the hub's `error` event.
   *
   * Default: everybody may, and `socket.user` is `undefined`.
   */
  authenticate?: ((handshake: Handshake) => MaybePromise<UserOf<T> | undefined | null | false>) | undefined;

  /**
   * The WebSocket subprotocols that the application speaks, best first. The first one that the client offers too is
   * agreed on. Default: none.
   */
  protocols?: readonly string[] | undefined;

  /**
   * The events of the application, from `defineContract`. What clients send is validated: what does not fit is answered with
   * `invalid-data`, and the name of the field, and reaches no handler. The contract also gives the types.
   *
   * Default: any event with any data.
   */
  contract?: HubContract<T> | undefined;

  /**
   * Whether what the server sends and replies is checked against the contract, too: what does not fit throws
   * `ERR_HUB_CONTRACT`. For development and tests, as it costs time for every message. Default: `false`.
   */
  validateOutgoing?: boolean | undefined;

  /** The shape of packets on the wire. Default: {@link jsonCodec}, protocol v1. */
  codec?: Codec | undefined;

  /**
   * What library clients may speak beside {@link jsonCodec}: each has a `protocol`, the subprotocol by which they ask for
   * it. For MessagePack: `[msgpackCodec]` from `roomcast/msgpack`. Default: none.
   */
  codecs?: readonly Codec[] | undefined;

  /**
   * Whether a plain client is greeted with `hub:welcome`. Library clients always are. Default: `true`.
   */
  welcome?: boolean | undefined;

  /**
   * How lost clients are found: see {@link HeartbeatOptions}. `false` never looks.
   *
   * Default: `{ interval: 25_000, timeout: 20_000 }`.
   */
  heartbeat?: HeartbeatOptions | false | undefined;

  /**
   * How long a client may take until it is let in, `admit` and `authenticate` included, in milliseconds: at the handshake,
   * where the answer then is HTTP status 503, and, for a library client, from the opening of its connection, which then is
   * closed with 4102. Default: 10,000.
   */
  handshakeTimeout?: number | undefined;

  /**
   * Decides whether a client may join, and leave, a room by itself, as `client.join(room)` asks. What it refuses, or
   * throws as a {@link ReplyError}, the client is told.
   *
   * Default: nobody may; rooms are the server's business.
   */
  joinable?: ((room: string, socket: Socket<T>) => MaybePromise<boolean>) | undefined;

  /**
   * How long and how much the hub remembers of the requests that clients mark as `idempotent`, so that one which is
   * repeated after a lost connection is handled once. `false` remembers nothing.
   *
   * Default: `{ within: 120_000, maxBytes: 4 MiB }`.
   */
  idempotency?: IdempotencyOptions | false | undefined;

  /** What one socket may do and take: see {@link Limits}. Those that are not given keep their defaults. */
  limits?: Partial<Limits> | undefined;

  /** The largest message accepted from a client, in bytes. A larger one closes with 1009. Default: 1 MiB. */
  maxMessageBytes?: number | undefined;

  /**
   * The most that is held for one socket, in bytes, in the hub and in the transport together. A client that reads so
   * slowly that this would be exceeded is treated as `overload` says. A single message above it cannot be sent at all. At
   * least 1 KiB. Default: 4 MiB.
   */
  maxBufferedBytes?: number | undefined;

  /**
   * What becomes of an event or a message for a client that reads too slowly: `"close"` the connection with 4101, or
   * `"drop"` the message and tell the client with `hub:dropped`. Requests and replies always close. `target.overload` and
   * `target.latest` differ from it.
   *
   * Default: `"close"`.
   */
  overload?: OverloadPolicy | undefined;

  /**
   * Whether to offer permessage-deflate. It saves bytes and costs processor time: on `ws` once for a message, however
   * many sockets it goes to, on `uws` for each of them. Default: `false`.
   */
  compression?: boolean | undefined;

  /**
   * What connects this hub with those of other processes, so that they are one to their clients: from
   * `roomcast/backplanes/redis`, `roomcast/backplanes/nats` or `roomcast/backplanes/cluster`. All of them need the same codecs
   * and the same contract. Default: none, and this process is alone.
   */
  backplane?: Backplane | undefined;

  /** How this process stands to the others: see {@link ClusterOptions}. Those that are not given keep their defaults. */
  cluster?: Partial<ClusterOptions> | undefined;

  /** The time that the hub lives by. For tests: see `VirtualClock` in `roomcast/testing`. Default: the system's. */
  clock?: Clock | undefined;
}

type MaybePromise<V> = V | Promise<V>;

/** {@link HubOptions} checked, with the defaults filled in. */
export interface ResolvedOptions {
  readonly transport: TransportName | Transport;
  readonly path: string | undefined;
  readonly origins: Origins;
  readonly trustProxy: TrustProxy | undefined;
  readonly maxConnections: number | undefined;
  readonly maxConnectionsPerAddress: number | undefined;
  readonly admit: ((handshake: Handshake) => unknown) | undefined;
  readonly authenticate: ((handshake: Handshake) => unknown) | undefined;
  readonly protocols: readonly string[];
  readonly contract: HubContract<never> | undefined;
  readonly validateOutgoing: boolean;
  readonly codec: Codec;
  readonly codecs: readonly Codec[];
  readonly welcome: boolean;
  readonly heartbeat: HeartbeatOptions | false;
  readonly handshakeTimeout: number;
  readonly joinable: ((room: string, socket: never) => MaybePromise<boolean>) | undefined;
  readonly idempotency: IdempotencyOptions | false;
  readonly limits: Limits;
  readonly maxMessageBytes: number;
  readonly maxBufferedBytes: number;
  readonly overload: OverloadPolicy;
  readonly compression: boolean;
  readonly backplane: Backplane | undefined;
  readonly cluster: ClusterOptions;
  readonly clock: Clock;
}

const DEFAULTS: ResolvedOptions = {
  transport: "ws",
  path: undefined,
  origins: "same",
  trustProxy: undefined,
  maxConnections: undefined,
  maxConnectionsPerAddress: undefined,
  admit: undefined,
  authenticate: undefined,
  protocols: [],
  contract: undefined,
  validateOutgoing: false,
  codec: jsonCodec,
  codecs: [],
  welcome: true,
  heartbeat: { interval: 25_000, timeout: 20_000 },
  handshakeTimeout: 10_000,
  joinable: undefined,
  idempotency: { within: 120_000, maxBytes: 4 * 1024 * 1024 },
  limits: DEFAULT_LIMITS,
  maxMessageBytes: 1024 * 1024,
  maxBufferedBytes: 4 * 1024 * 1024,
  overload: "close",
  compression: false,
  backplane: undefined,
  cluster: CLUSTER_DEFAULTS,
  clock: systemClock,
};

/** The sizes that both libraries can count, and below which nothing useful fits. */
const MAX_BYTES = 2_147_483_647;
const MIN_BUFFERED_BYTES = 1024;

const RULES: { readonly [K in keyof ResolvedOptions]: Rule } = {
  transport: ['"ws", "uws" or a transport object', isTransport],
  path: [
    'a string that begins with "/" and has no query',
    (value) => typeof value === "string" && /^\/[^?#]*$/.test(value),
  ],
  origins: [
    '"same", "*", a function, or an array of origins as browsers send them, such as "https://example.com"',
    isOrigins,
  ],
  trustProxy: [
    "the number of proxies in front, or an array of their addresses and CIDR ranges; " +
      "true would believe what any client writes",
    isTrustProxy,
  ],
  maxConnections: ["a whole number from 1", isCount],
  maxConnectionsPerAddress: ["a whole number from 1", isCount],
  admit: ["a function", (value) => typeof value === "function"],
  authenticate: ["a function", (value) => typeof value === "function"],
  protocols: ["an array of subprotocol names (RFC 6455 section 4.1: tokens)", isTokens],
  contract: ["what defineContract() returned", (value) => isObject(value) && isObject(value["hub"])],
  validateOutgoing: ["true or false", isBoolean],
  codec: ['an object with the functions "encode" and "decode"', isCodec],
  codecs: [
    'an array of codecs, each with the functions "encode" and "decode" and a subprotocol of its own in "protocol"',
    areCodecs,
  ],
  welcome: ["true or false", isBoolean],
  heartbeat: ["false or { interval, timeout } in whole milliseconds, timeout being at most interval", isHeartbeat],
  handshakeTimeout: [
    `a whole number of milliseconds from 1 to ${MAX_DELAY}`,
    (value) => isInteger(value, 1, MAX_DELAY),
  ],
  joinable: ["a function", (value) => typeof value === "function"],
  idempotency: ["false or { within, maxBytes } in whole milliseconds and bytes", isIdempotency],
  limits: [
    "an object with some of messages, bytes and violations, each { perSecond, burst }, and of rooms, roomNameLength, " +
      "pendingRequests and listeners, each a whole number from 1",
    areLimits,
  ],
  maxMessageBytes: [`a whole number of bytes from 1 to ${MAX_BYTES}`, (value) => isInteger(value, 1, MAX_BYTES)],
  maxBufferedBytes: [
    `a whole number of bytes from ${MIN_BUFFERED_BYTES} to ${MAX_BYTES}`,
    (value) => isInteger(value, MIN_BUFFERED_BYTES, MAX_BYTES),
  ],
  overload: ['"close" or "drop"', (value) => value === "close" || value === "drop"],
  compression: ["true or false", isBoolean],
  backplane: [
    'an object with the functions "start", "publish", "subscribe", "unsubscribe" and "close"',
    (value) => hasFunctions(value, "start", "publish", "subscribe", "unsubscribe", "close"),
  ],
  cluster: [
    "an object with some of name, a string, of lease and grace, in whole milliseconds, lease from 30, and of " +
      "maxPendingBytes, a whole number from 1",
    isClusterOptions,
  ],
  clock: ['an object with the functions "now" and "setTimeout"', (value) => hasFunctions(value, "now", "setTimeout")],
};

/**
 * Checks what the application gave and fills in the defaults. An option that is `undefined` counts as absent.
 *
 * @throws {HubError} `ERR_HUB_OPTION` naming the option and what it must be.
 */
export function resolveOptions(options: unknown): ResolvedOptions {
  const given = checkOptions(options, RULES, "Hub");
  const limits = { ...DEFAULT_LIMITS, ...withoutUndefined((given["limits"] ?? {}) as Partial<Limits>) };
  const cluster = { ...CLUSTER_DEFAULTS, ...withoutUndefined((given["cluster"] ?? {}) as Partial<ClusterOptions>) };
  const resolved: ResolvedOptions = { ...DEFAULTS, ...given, limits, cluster };
  if (resolved.validateOutgoing && resolved.contract === undefined) {
    throw new HubError("ERR_HUB_OPTION", 'The option "validateOutgoing" of Hub needs the option "contract".');
  }
  // JSON is always spoken, unless a codec of the application's takes its place.
  const speaksJson = resolved.codecs.some(({ protocol }) => protocol === jsonCodec.protocol);
  return speaksJson ? resolved : { ...resolved, codecs: [...resolved.codecs, jsonCodec] };
}

/** What fits into `sun_path` on every system. A longer path is cut off by Node, and crashes uWebSockets.js. */
const MAX_SOCKET_PATH_BYTES = 103;

const LISTEN_RULES: { readonly [K in keyof Required<ListenOptions>]: Rule } = {
  port: ["a whole number from 0 to 65535", (value) => isInteger(value, 0, 65_535)],
  host: ["a host name or an address", isText],
  socketPath: [`the path of a Unix domain socket, at most ${MAX_SOCKET_PATH_BYTES} bytes`, isSocketPath],
  tls: ["{ certFile, keyFile, passphrase? }, the files in PEM format", isTls],
};

/**
 * Checks where the application wants to listen. A number is a port.
 *
 * @throws {HubError} `ERR_HUB_OPTION` naming the option and what it must be.
 */
export function resolveListenOptions(where: unknown): ListenOptions {
  return checkOptions(typeof where === "object" ? where : { port: where }, LISTEN_RULES, "listen()");
}

function isSocketPath(value: unknown): boolean {
  return isText(value) && Buffer.byteLength(value as string) <= MAX_SOCKET_PATH_BYTES;
}

function isTls(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { certFile, keyFile, passphrase, ...unknown } = value;
  if (Object.keys(unknown).length > 0) return false;
  return isText(certFile) && isText(keyFile) && (passphrase === undefined || typeof passphrase === "string");
}

function isTransport(value: unknown): boolean {
  return value === "ws" || value === "uws" || hasFunctions(value, "start", "listen", "stopListening", "destroy");
}

function isCodec(value: unknown): boolean {
  return hasFunctions(value, "encode", "decode");
}

function areCodecs(value: unknown): boolean {
  if (!Array.isArray(value) || !value.every(isCodec)) return false;
  const protocols = value.map(({ protocol }: Codec) => protocol);
  return isTokens(protocols) && new Set(protocols).size === protocols.length;
}

function isIdempotency(value: unknown): boolean {
  if (value === false) return true;
  if (!isObject(value) || Object.keys(value).some((key) => key !== "within" && key !== "maxBytes")) return false;
  return isInteger(value["within"], 1, MAX_DELAY) && isInteger(value["maxBytes"], 1, MAX_BYTES);
}

function isTokens(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(item));
}

function isHeartbeat(value: unknown): boolean {
  if (value === false) return true;
  if (!isObject(value) || Object.keys(value).some((key) => key !== "interval" && key !== "timeout")) return false;
  const { interval, timeout } = value;
  return isInteger(interval, 1, MAX_DELAY) && isInteger(timeout, 1, interval as number);
}
