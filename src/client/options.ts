import type { ClientContract } from "../contract/client-side.ts";
import type { HubTypes } from "../event-types.ts";
import type { Codec } from "../protocol/codec.ts";
import type { Delays, ReconnectOptions } from "./backoff.ts";
import { ClientError } from "./errors.ts";
import { json } from "./json.ts";
import type { QueueLimits, QueueOptions } from "./sending-options.ts";
import type { Patience } from "./patience.ts";
import type { WebSocketConstructor } from "./web-socket.ts";

/** The options of a client. Every option has a default; an unknown option is an error. */
export interface ConnectOptions<T extends HubTypes = HubTypes> {
  /**
   * The credentials that the server's `authenticate` finds in `handshake.auth`, or a function that returns them or a
   * promise of them. The client calls the function again for every connection.
   */
  readonly auth?: unknown;
  /** The codec. For MessagePack, pass `msgpackCodec` from `roomcast/msgpack`. Default: JSON. */
  readonly codec?: (Codec & { readonly protocol: string }) | undefined;
  /**
   * The events of the application, from `defineContract`. Everything that is sent or arrives is validated. To use the
   * types alone, without the schemas in the bundle, state them: `connect<ClientContractTypes<typeof contract>>(url)`.
   */
  readonly contract?: ClientContract<T> | undefined;
  /** The class of the WebSocket. Default: the global one. Node.js 20 has none: pass the class of `ws` there. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /**
   * The most time that an attempt to connect may take, from the call of `auth` to the server's welcome, in milliseconds.
   * Default: 10,000.
   */
  readonly connectTimeout?: number | undefined;
  /** Whether the client connects at once. If not, it is closed until `open()` is called. Default: `true`. */
  readonly start?: boolean | undefined;
  /** Options for reconnecting after the connection was lost; `false` to never reconnect. */
  readonly reconnect?: ReconnectOptions | false | undefined;
  /** Options of the queue for messages while there is no connection. */
  readonly queue?: QueueOptions | undefined;
}

/** {@link ConnectOptions} after they were checked, with the defaults filled in. */
export interface ResolvedConnectOptions extends Patience {
  /** The absolute URL. */
  readonly url: string;
  readonly auth: unknown;
  readonly codec: Codec & { readonly protocol: string };
  readonly contract: ClientContract<never> | undefined;
  readonly WebSocket: WebSocketConstructor;
  readonly connectTimeout: number;
  readonly start: boolean;
  readonly reconnect: Delays | false;
  readonly queue: QueueLimits;
}

/** The defaults. Every number is a number of milliseconds or bytes. */
export const DEFAULTS: Omit<ResolvedConnectOptions, "url" | "codec" | "WebSocket" | "patience"> & {
  readonly codec: undefined;
  readonly reconnect: Delays;
} = {
  auth: undefined,
  codec: undefined,
  contract: undefined,
  connectTimeout: 10_000,
  start: true,
  reconnect: { minDelay: 500, maxDelay: 30_000, stableAfter: 10_000 },
  queue: { maxBytes: 1_048_576, policy: "reject" },
};

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {ClientError} `ERR_CLIENT_OPTION`. The message names the option and what it must be.
 */
export function resolveOptions(url: string | URL, options: ConnectOptions): ResolvedConnectOptions {
  const { WebSocket } = globalThis as { readonly WebSocket?: unknown };
  const { codec = json, contract } = options;
  const resolved = {
    ...fill({ ...DEFAULTS, WebSocket }, options),
    codec,
    url: resolveUrl(url),
    patience: 1,
  } as ResolvedConnectOptions;
  if (typeof resolved.WebSocket !== "function") fail("WebSocket", "a class like that of ws");
  if (!codec?.encode || !codec.protocol) fail("codec", "a codec");
  if (contract && !contract.client) fail("contract", "a contract");
  if (!/^(reject|drop-oldest)$/.test(resolved.queue.policy)) fail("queue.policy", "reject or drop-oldest");
  return resolved;
}

/**
 * Returns the absolute `ws:` or `wss:` URL without its fragment, which has no meaning. In a page the URL may be
 * relative; `http:` means `ws:`.
 */
function resolveUrl(url: string | URL): string {
  try {
    const { location } = globalThis as { readonly location?: { readonly href: string } };
    const { href } = new URL(url, location?.href);
    // The URL of some platforms does not leave an absolute one as it is.
    const known = [String(url), href].find((each) => /^(ws|http)s?:/.test(each));
    if (known) return known.replace(/^http/, "ws").replace(/#.*/, "");
  } catch {
    // The error is reported below.
  }
  return fail("url", "like wss://host");
}

function fill(defaults: object, given: object): object {
  const filled: Record<string, unknown> = { ...defaults };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.keys(defaults).includes(name)) fail(name, `one of ${Object.keys(defaults).join(", ")}`);
    if (value === undefined) continue;
    const usual = filled[name];
    if (typeof usual === "number" && !isDuration(value, 0)) fail(name, "0 or more");
    filled[name] = typeof usual === "object" && value ? fill(usual as object, value as object) : value;
  }
  return filled;
}

/** Returns the delay nearest to this time that a timer can wait. A longer one would fire at once. */
export function delayOf(time: number): number {
  return Math.min(time, 2 ** 31 - 1);
}

/** Tells whether a value is a number, of milliseconds or bytes, between `least` and the longest delay of a timer. */
export function isDuration(value: unknown, least: number): boolean {
  return typeof value === "number" && value >= least && value < 2 ** 31;
}

function fail(name: string, must: string): never {
  throw new ClientError("ERR_CLIENT_OPTION", `"${name}" must be ${must}.`);
}
