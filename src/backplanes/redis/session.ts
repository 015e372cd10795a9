import { Buffer } from "node:buffer";
import type * as Redis from "redis";
import type { Connect, Session, SessionEvents } from "../shared/session.ts";

/** A client, a cluster or a sentinel of the package `redis`, as far as it has to be known. */
export interface RedisTemplate {
  duplicate(overrides?: object): unknown;
  connect(): Promise<unknown>;
}

type Listener = (message: Buffer, channel: Buffer) => void;

/** What all three can do. */
interface Client extends RedisTemplate {
  readonly options?: { readonly socket?: object };
  readonly masters?: readonly object[];
  on(event: string, listener: (error: unknown) => void): unknown;
  sPublish(channel: string, message: Buffer): Promise<unknown>;
  sSubscribe(channels: string | readonly string[], listener: Listener, bufferMode: true): Promise<unknown>;
  sUnsubscribe(channels: string | readonly string[], listener?: Listener, bufferMode?: true): Promise<unknown>;
  ping(): Promise<unknown>;
  nodeClient(node: object): Client | Promise<Client>;
  destroy(): unknown;
}

type Kind = "single" | "cluster" | "sentinel";

/** A new one is made of it for every session: in the offline queue of an old one something might wait. */
const NO_SECOND_LIFE = { disableOfflineQueue: true };
const NO_RETRY = { reconnectStrategy: false };

/** A client for one server. */
export function singleAt(library: typeof Redis, url: string): RedisTemplate {
  return library.createClient({ url });
}

export function kindOf(template: RedisTemplate): Kind {
  if ("masters" in template) return "cluster";
  return "acquire" in template ? "sentinel" : "single";
}

/** Sessions on connections of their own, with the settings of the template. */
export function connectTo(template: RedisTemplate, prefix: string): Connect {
  const kind = kindOf(template);
  return async (events) => {
    // A cluster, and a sentinel, have connections of their own for subscriptions.
    const publisher = copyOf(template as Client, kind);
    const subscriber = kind === "single" ? copyOf(template as Client, kind) : publisher;
    const clients = new Set([publisher, subscriber]);
    for (const client of clients) {
      for (const event of FAULTS) client.on(event, (error) => events.fault(faultOf(event, error)));
    }
    const session = new RedisSession(kind, publisher, subscriber, prefix, events);
    try {
      await Promise.all([...clients].map((client) => client.connect()));
    } catch (error) {
      session.end();
      throw error;
    }
    // Its first report is of what it has found when it connected.
    publisher.on("topology-change", () => events.fault(new Error("The master behind the sentinel has changed.")));
    return session;
  };
}

/**
 * After any of these, some subscription or some message may have been lost. Not among them is the end of a connection in a Cluster:
 * the library itself ends that which has no subscription left.
 */
const FAULTS = ["error", "node-error", "sharded-channel-moved-error"];

function faultOf(event: string, error: unknown): Error {
  return error instanceof Error ? error : new Error(`The connection to Redis has failed (${event}).`);
}

function copyOf(template: Client, kind: Kind): Client {
  if (kind !== "single") return template.duplicate() as Client;
  return template.duplicate({ ...NO_SECOND_LIFE, socket: { ...template.options?.socket, ...NO_RETRY } }) as Client;
}

class RedisSession implements Session {
  readonly #kind: Kind;
  readonly #publisher: Client;
  readonly #subscriber: Client;
  readonly #prefix: string;
  /** One for all channels: the library tells them apart. */
  readonly #listener: Listener;
  #isOver = false;

  constructor(kind: Kind, publisher: Client, subscriber: Client, prefix: string, events: SessionEvents) {
    this.#kind = kind;
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#prefix = prefix;
    this.#listener = (message, channel) => {
      if (!this.#isOver) events.message(channel.toString().slice(prefix.length), message);
    };
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    const { buffer, byteOffset, byteLength } = envelope;
    await this.#publisher.sPublish(this.#prefix + channel, Buffer.from(buffer, byteOffset, byteLength));
  }

  subscribe(channels: readonly string[]): Promise<void> {
    return this.#each(channels, (some) => this.#subscriber.sSubscribe(some, this.#listener, true));
  }

  unsubscribe(channels: readonly string[]): Promise<void> {
    return this.#each(channels, (some) => this.#subscriber.sUnsubscribe(some, this.#listener, true));
  }

  async ping(): Promise<void> {
    const { masters } = this.#publisher;
    if (this.#kind === "cluster" && masters !== undefined) {
      await Promise.all(masters.map(async (node) => (await this.#publisher.nodeClient(node)).ping()));
    } else {
      await Promise.all([this.#publisher.ping(), this.#subscriber.ping()]);
    }
  }

  end(): void {
    this.#isOver = true;
    for (const client of new Set([this.#publisher, this.#subscriber])) destroy(client);
  }

  /** The servers of a Cluster take only channels of one slot at once. */
  async #each(
    channels: readonly string[],
    act: (channels: readonly string[] | string) => Promise<unknown>,
  ): Promise<void> {
    if (channels.length === 0) return;
    const names = channels.map((channel) => this.#prefix + channel);
    await (this.#kind === "cluster" ? Promise.all(names.map((name) => act(name))) : act(names));
  }
}

/** One that never was connected cannot be destroyed, and says so in one way or the other. */
async function destroyAsync(client: Client): Promise<void> {
  await client.destroy();
}

function destroy(client: Client): void {
  destroyAsync(client).catch(() => {});
}
