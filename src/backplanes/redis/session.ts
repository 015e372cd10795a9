import { Buffer } from "node:buffer";
import type { Connect, Session, SessionReport } from "../shared/session.ts";
import { Copies, kindOf, type Kind, type MessageListener, type RedisClient, type RedisTemplate } from "./copies.ts";

/** Connects sessions that each have clients of their own, with the settings of the template. */
export function connectTo(template: RedisTemplate, prefix: string): Connect {
  const kind = kindOf(template);
  const copies = new Copies(template as RedisClient, kind);
  return async (report, signal) => {
    // A cluster or a sentinel has separate connections for subscriptions already.
    const publisher = copies.create(signal);
    const subscriber = kind === "single" ? copies.create(signal) : publisher;
    const clients = new Set([publisher, subscriber]);
    const connected = new Set<RedisClient>();
    for (const client of clients) {
      // While it connects, a client goes on to its next address after an error, and nothing was subscribed to yet.
      const faulted = (event: string, error: unknown): void => {
        if (connected.has(client)) report.fault(faultOf(event, error));
      };
      for (const event of FAULTS) client.on(event, (error) => faulted(event, error));
    }
    const session = new RedisSession(kind, publisher, subscriber, prefix, report);
    signal.addEventListener("abort", () => {
      copies.learn(publisher);
      session.end();
    });
    await Promise.all(
      Array.from(clients, async (client) => {
        await client.connect();
        connected.add(client);
      }),
    );
    // The first of these events tells what the client found when it connected, so it is listened for only from here on.
    publisher.on("topology-change", () => report.fault(new Error("The master behind the sentinel has changed.")));
    return session;
  };
}

/**
 * The events after which a subscription or a message may have been lost. The end of a connection in a Cluster is not
 * among them: the library itself ends a connection that has no subscription left.
 */
const FAULTS = ["error", "node-error", "sharded-channel-moved-error"];

function faultOf(event: string, error: unknown): Error {
  return error instanceof Error ? error : new Error(`The connection to Redis has failed (${event}).`);
}

class RedisSession implements Session {
  readonly #kind: Kind;
  readonly #publisher: RedisClient;
  readonly #subscriber: RedisClient;
  readonly #prefix: string;
  /** The listener of all channels; the library tells it the channel. */
  readonly #listener: MessageListener;
  #isOver = false;

  constructor(kind: Kind, publisher: RedisClient, subscriber: RedisClient, prefix: string, report: SessionReport) {
    this.#kind = kind;
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#prefix = prefix;
    this.#listener = (message, channel) => {
      if (!this.#isOver) report.message(channel.toString().slice(prefix.length), message);
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

  /** Calls `act` with all channels, one by one in a Cluster, whose servers take only channels of one slot at once. */
  async #each(
    channels: readonly string[],
    act: (channels: readonly string[] | string) => Promise<unknown>,
  ): Promise<void> {
    if (channels.length === 0) return;
    const names = channels.map((channel) => this.#prefix + channel);
    await (this.#kind === "cluster" ? Promise.all(names.map((name) => act(name))) : act(names));
  }
}

/** Destroys a client. For one that was never connected the package fails, either by throwing or by rejecting. */
async function destroyAsync(client: RedisClient): Promise<void> {
  await client.destroy();
}

function destroy(client: RedisClient): void {
  destroyAsync(client).catch(() => {});
}
