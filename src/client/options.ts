import type { ClientContract } from "../contract/client-side.ts";
import type { HubTypes } from "../event-types.ts";
import type { Codec } from "../protocol/codec.ts";
import type { Delays, ReconnectOptions } from "./backoff.ts";
import { ClientError } from "./errors.ts";
import { json } from "./json.ts";
import type { Limits, QueueOptions } from "./outbox.ts";
import type { WebSocketConstructor } from "./web-socket.ts";

/** How a client behaves. Every option has a default; an unknown one is an error. */
export interface ConnectOptions<T extends HubTypes = HubTypes> {
  /**
   * The credentials that the server's `authenticate` finds in `handshake.auth`, or a function that returns them or a promise
   * of them. A function is asked anew at every connection.
   */
  readonly auth?: unknown;
  /** What the client speaks. For MessagePack: `msgpackCodec` from `roomcast/msgpack`. Default: JSON. */
  readonly codec?: (Codec & { readonly protocol: string }) | undefined;
  /**
   * The events of the application, from `defineContract`. What is sent and what comes is validated. To have the types alone,
   * without the schemas in the bundle, state them: `connect<ClientContractTypes<typeof contract>>(url)`.
   */
  readonly contract?: ClientContract<T> | undefined;
  /** The class to connect with. Default: the global one; Node.js 20 has none, there pass the one of `ws`. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** How long a connection may take, from its beginning to the server's welcome, in milliseconds. Default: 10,000. */
  readonly connectTimeout?: number | undefined;
  /** How to come back after a lost connection; `false` not to. */
  readonly reconnect?: ReconnectOptions | false | undefined;
  /** What may wait while there is no connection. */
  readonly queue?: QueueOptions | undefined;
}

/** {@link ConnectOptions} checked, with the defaults filled in. */
export interface ResolvedOptions {
  /** Absolute. */
  readonly url: string;
  readonly auth: unknown;
  readonly codec: Codec & { readonly protocol: string };
  readonly contract: ClientContract<never> | undefined;
  readonly WebSocket: WebSocketConstructor;
  readonly connectTimeout: number;
  readonly reconnect: Delays | false;
  readonly queue: Limits;
}

/** What an absent option counts as. In place of a number there can only be a number of milliseconds or bytes. */
const DEFAULTS = {
  auth: undefined,
  codec: undefined,
  contract: undefined,
  WebSocket: undefined,
  connectTimeout: 10_000,
  reconnect: { minDelay: 500, maxDelay: 30_000, stableAfter: 10_000 },
  queue: { maxBytes: 1_048_576, policy: "reject" },
};

/** @throws {ClientError} `ERR_CLIENT_OPTION` naming the option and what it must be. */
export function resolveOptions(url: string | URL, options: ConnectOptions): ResolvedOptions {
  const { WebSocket } = globalThis as { readonly WebSocket?: unknown };
  const { codec = json, contract } = options;
  const resolved = { ...fill({ ...DEFAULTS, WebSocket }, options), codec, url: resolveUrl(url) } as ResolvedOptions;
  if (typeof resolved.WebSocket !== "function") fail("WebSocket", "given, as from `ws`");
  if (!codec?.encode || !codec.protocol) fail("codec", "a codec");
  if (contract && !contract.client) fail("contract", "a contract");
  if (!["reject", "drop-oldest"].includes(resolved.queue.policy)) fail("queue.policy", '"reject" or "drop-oldest"');
  return resolved;
}

/** The URL may be relative in a page, and its scheme `http:`, which means `ws:`. A fragment has no meaning. */
function resolveUrl(url: string | URL): string {
  try {
    const { location } = globalThis as { readonly location?: { readonly href: string } };
    const { href } = new URL(url, location?.href);
    if (/^(ws|http)s?:/.test(href)) return href.replace(/^http/, "ws").replace(/#.*/, "");
  } catch {
    // Reported below.
  }
  return fail("url", "like wss://host/path");
}

function fill(defaults: object, given: object): object {
  const filled: Record<string, unknown> = { ...defaults };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) fail(name, `one of ${Object.keys(defaults).join(", ")}`);
    if (value === undefined) continue;
    const usual = filled[name];
    if (typeof usual === "number" && !isDuration(value, 0)) fail(name, "0 or more");
    filled[name] = typeof usual === "object" && value ? fill(usual as object, value as object) : value;
  }
  return filled;
}

/** The delay that a timer can wait, nearest to this time: a longer one would pass at once. */
export function delayOf(time: number): number {
  return Math.min(Math.max(time, 0), 2 ** 31 - 1);
}

/** Whether this is a number of milliseconds, or bytes, that timers can take. */
export function isDuration(value: unknown, least: number): boolean {
  return typeof value === "number" && value >= least && value < 2 ** 31;
}

function fail(name: string, must: string): never {
  throw new ClientError("ERR_CLIENT_OPTION", `"${name}" must be ${must}.`);
}
