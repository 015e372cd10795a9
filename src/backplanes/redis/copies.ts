import type { Buffer } from "node:buffer";
import type * as Redis from "redis";

/** A client, a cluster or a sentinel of the package `redis`, as far as the backplane has to know it to copy it. */
export interface RedisTemplate {
  duplicate(overrides?: object): unknown;
  connect(): Promise<unknown>;
}

export type MessageListener = (message: Buffer, channel: Buffer) => void;

interface EvalOptions {
  readonly keys: readonly string[];
  readonly arguments: readonly (string | Buffer)[];
}

/** The methods that a client, a cluster and a sentinel have in common. */
export interface RedisClient extends RedisTemplate {
  readonly masters?: readonly ClusterNode[];
  on(event: string, listener: (error: unknown) => void): unknown;
  sPublish(channel: string, message: Buffer): Promise<unknown>;
  sSubscribe(channels: string | readonly string[], listener: MessageListener, bufferMode: true): Promise<unknown>;
  sUnsubscribe(channels: string | readonly string[], listener?: MessageListener, bufferMode?: true): Promise<unknown>;
  evalSha(sha: string, options: EvalOptions): Promise<unknown>;
  eval(script: string, options: EvalOptions): Promise<unknown>;
  del(key: string): Promise<unknown>;
  withTypeMapping(mapping: Readonly<Record<number, unknown>>): RedisClient;
  ping(): Promise<unknown>;
  nodeClient(node: object): RedisClient | Promise<RedisClient>;
  /** Sends a command to a single server. */
  sendCommand(args: readonly string[]): Promise<unknown>;
  /** Sends a command to a master that Sentinel watches, or one that only reads perhaps to a replica. */
  sendCommand(isReadOnly: boolean, args: readonly (string | Uint8Array)[]): Promise<unknown>;
  destroy(): unknown;
}

/** Where a server of a Cluster is. */
interface Address {
  readonly host: string;
  readonly port: number;
}

/** A server of a Cluster, as its client has found it. */
interface ClusterNode extends Address {
  readonly id: string;
  /** Its connection for subscriptions, if there is one. */
  readonly pubSub?: { readonly client: RedisClient };
}

export type Kind = "single" | "cluster" | "sentinel";

type ReconnectStrategy = false | number | ((retries: number, cause: Error) => false | Error | number);

/** Settings of connections to one or several servers. */
interface ConnectionSettings {
  readonly socket?: { readonly reconnectStrategy?: ReconnectStrategy };
}

/** The settings of a template that its copies do not take over as they are. */
interface Settings extends ConnectionSettings {
  readonly commandOptions?: object;
  readonly rootNodes?: readonly object[];
  readonly defaults?: ConnectionSettings;
  readonly maxCommandRedirections?: number;
  readonly maxCommandRediscovers?: number;
  readonly keyPrefix?: undefined;
  readonly url?: undefined;
  readonly database?: number;
  readonly nodeAddressMap?: Readonly<Record<string, object>> | ((address: string) => object | undefined);
  readonly sentinelRootNodes?: readonly object[];
  readonly sentinelClientOptions?: ConnectionSettings;
  readonly nodeClientOptions?: ConnectionSettings;
}

/** Channels are the same in all databases, and so are their logs. */
const ONE_DATABASE = { database: 0 } as const;

/** The longest delay of the package's own strategy, in milliseconds. */
const MOST_DELAY = 2_000;

/** Creates a client for one server. */
export function singleAt(library: typeof Redis, url: string): RedisTemplate {
  return library.createClient({ url });
}

/** Tells single clients, clusters and sentinels of the package apart. */
export function kindOf(template: RedisTemplate): Kind {
  if ("masters" in template) return "cluster";
  return "acquire" in template ? "sentinel" : "single";
}

/** Copies of a template, one or two for each session. */
export class Copies {
  readonly #template: RedisClient;
  readonly #kind: Kind;
  readonly #settings: Settings;
  /** The servers of the Cluster that the last session knew. */
  #learnt: readonly Address[] = [];
  #created = 0;

  constructor(template: RedisClient, kind: Kind) {
    this.#template = template;
    this.#kind = kind;
    this.#settings = settingsOf(template);
  }

  /**
   * Creates a copy.
   *
   * @param signal - destroys all connections of the copy when it is aborted, also those that the package keeps to
   *   itself, such as the ones that look for the servers of a Cluster.
   */
  create(signal: AbortSignal): RedisClient {
    return this.#template.duplicate(this.#overrides(signal)) as RedisClient;
  }

  /** Keeps the addresses that a copy has found, for the case that those which were given die. */
  learn({ masters = [] }: RedisClient): void {
    if (masters.length > 0) this.#learnt = masters.map(({ host, port }) => ({ host, port }));
  }

  #overrides(signal: AbortSignal): Settings & { readonly disableOfflineQueue?: true } {
    // The package would set a timer for each message until it is written. The pings of the session do for all of them.
    const commandOptions = { ...this.#settings.commandOptions, timeout: 0 };
    // The key of a log is the name of its channel, and channels have no such prefix.
    return { ...this.#bounds(signal), commandOptions, keyPrefix: undefined };
  }

  #bounds(signal: AbortSignal): Settings & { readonly disableOfflineQueue?: true } {
    const { socket, rootNodes = [], sentinelRootNodes = [], ...settings } = this.#settings;
    const bound = (some: ConnectionSettings = {}): ConnectionSettings => {
      return { ...some, socket: { ...some.socket, ...boundTo(signal, some.socket?.reconnectStrategy) } };
    };
    if (this.#kind === "single") {
      // What the address says is in the other settings already, but for the number of a database.
      const database = { url: undefined, ...ONE_DATABASE };
      // What waits in the queue of an old client would be sent late.
      return { ...database, disableOfflineQueue: true, socket: { ...socket, ...boundTo(signal, false) } };
    }
    if (this.#kind === "cluster") {
      return {
        defaults: bound(settings.defaults),
        // A Cluster that moves a slot answers with the server that has it now. The package would follow, and repeat
        // what it has sent, but by then later messages may have overtaken it.
        maxCommandRedirections: 0,
        rootNodes: [...rootNodes, ...this.#learnt.map((node) => ({ socket: this.#reachable(node) }))],
      };
    }
    return {
      sentinelClientOptions: bound(settings.sentinelClientOptions),
      nodeClientOptions: { ...bound(settings.nodeClientOptions), ...ONE_DATABASE },
      // The package would repeat what a connection has not answered.
      maxCommandRediscovers: 0,
      // The package asks them in their order, and would wait each time for a first one that hangs.
      sentinelRootNodes: rotated(sentinelRootNodes, this.#created++),
    };
  }

  /** Returns where a server of the Cluster can be reached from here. */
  #reachable(node: Address): object {
    const { nodeAddressMap: map } = this.#settings;
    const address = `${node.host}:${node.port}`;
    return (typeof map === "function" ? map(address) : map?.[address]) ?? node;
  }
}

/** Returns settings of a socket that lives no longer than until the signal is aborted. */
function boundTo(signal: AbortSignal, strategy: ReconnectStrategy | undefined): object {
  if (strategy === false) return { signal, reconnectStrategy: false };
  const reconnectStrategy = (retries: number, cause: Error): false | Error | number => {
    if (signal.aborted) return false;
    if (typeof strategy === "function") return strategy(retries, cause);
    return strategy ?? Math.min(2 ** retries * 50, MOST_DELAY);
  };
  return { signal, reconnectStrategy };
}

/** Reads the settings of a template. The package shows them only to what it creates as a duplicate. */
function settingsOf(template: RedisTemplate): Settings {
  let settings: Settings = {};
  function Duplicate(given: Settings): void {
    settings = given;
  }
  const prototype = Object.create(template, { constructor: { value: Duplicate } }) as object;
  template.duplicate.call(Object.create(prototype));
  return settings;
}

function rotated<I>(items: readonly I[], by: number): readonly I[] {
  const start = by % Math.max(items.length, 1);
  return [...items.slice(start), ...items.slice(0, start)];
}
