import type { ClientContract } from "../contract/client-side.ts";
import type { HubTypes } from "../event-types.ts";
import { jsonCodec, type Codec } from "../protocol/codec.ts";
import type { Delays, ReconnectOptions } from "./backoff.ts";
import { ClientError } from "./errors.ts";
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
   * without the schemas in the bundle, state them: `connect<ClientTypes<typeof contract>>(url)`.
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
  readonly auth: unknown;
  readonly codec: Codec & { readonly protocol: string };
  readonly contract: ClientContract<never> | undefined;
  readonly WebSocket: WebSocketConstructor;
  readonly connectTimeout: number;
  readonly reconnect: Delays | false;
  readonly queue: Limits;
}

const RECONNECT = { minDelay: 500, maxDelay: 30_000, stableAfter: 10_000 };
const QUEUE = { maxBytes: 1_048_576, policy: "reject" };

/** @throws {ClientError} `ERR_CLIENT_OPTION` naming the option and what it must be. */
export function resolveOptions(options: object): ResolvedOptions {
  const { WebSocket } = globalThis as { readonly WebSocket?: unknown };
  const defaults = { auth: undefined, codec: jsonCodec, contract: undefined, WebSocket, connectTimeout: 10_000 };
  const all = fill({ ...defaults, reconnect: {}, queue: {} }, options, "");
  const { codec, contract, reconnect } = all as {
    codec: Codec;
    contract?: ClientContract<never>;
    reconnect: object | false;
  };
  if (typeof all["WebSocket"] !== "function") {
    fail("WebSocket", "the class of `ws`, as there is no global one here");
  }
  if (typeof codec?.encode !== "function" || typeof codec.protocol !== "string")
    fail("codec", "a codec with a protocol");
  if (contract !== undefined && contract.client === undefined) fail("contract", "what defineContract() returned");
  checkDelay(all, "connectTimeout");
  const queue = fill(QUEUE, all["queue"], "queue.");
  checkDelay(queue, "maxBytes", "queue.");
  if (queue["policy"] !== "reject" && queue["policy"] !== "drop-oldest")
    fail("queue.policy", '"reject" or "drop-oldest"');
  const delays = reconnect && fill(RECONNECT, reconnect, "reconnect.");
  if (delays) for (const name of Object.keys(RECONNECT)) checkDelay(delays, name, "reconnect.");
  return { ...all, queue, reconnect: delays } as unknown as ResolvedOptions;
}

/** The URL that a connection goes to: `http:` means `ws:`, and in a page it may be relative. */
export function resolveUrl(url: string | URL): string {
  try {
    const { location } = globalThis as { readonly location?: { readonly href: string } };
    const { protocol, href } = new URL(url, location?.href);
    if (/^(ws|http)s?:$/.test(protocol)) return href.replace(/^http/, "ws").replace(/#.*/, "");
  } catch {
    // Reported below.
  }
  return fail("url", "a WebSocket URL such as wss://example.org/chat");
}

function fill(defaults: object, given: unknown, prefix: string): Record<string, unknown> {
  if (typeof given !== "object" || given === null) fail(prefix.slice(0, -1) || "options", "an object");
  const filled: Record<string, unknown> = { ...defaults };
  for (const [name, value] of Object.entries(given as object)) {
    if (!Object.hasOwn(defaults, name)) fail(prefix + name, `one of ${Object.keys(defaults).join(", ")}`);
    if (value !== undefined) filled[name] = value;
  }
  return filled;
}

function checkDelay(options: Record<string, unknown>, name: string, prefix = ""): void {
  const value = options[name];
  if (!(typeof value === "number" && value >= 0 && value < 2 ** 31))
    fail(prefix + name, "a number from 0 to 2147483647");
}

function fail(name: string, must: string): never {
  throw new ClientError("ERR_CLIENT_OPTION", `"${name}" must be ${must}.`);
}
