import type { Buffer } from "node:buffer";
import type { Connect, Refusals, Session, SessionReport } from "../shared/session.ts";
import { Copies, kindOf, type Kind, type MessageListener, type RedisClient, type RedisTemplate } from "./copies.ts";
import { isRefusal, isUnavailable } from "./errors.ts";
import { RedisLog } from "./log.ts";
import { decodeMessage, encodeEnvelope } from "./log-message.ts";

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

/** What `CLUSTER SLOTS` answers, without the replicas. */
type Slots = readonly (readonly [
  first: number,
  last: number,
  master: readonly [host: unknown, port: number, id: unknown],
])[];

/** The number of pings after which the epochs of the logs are looked for again: less time than two failovers take. */
const PINGS_TO_REFRESH = 5;

class RedisSession implements Session {
  readonly maxBytes: number = Infinity;
  readonly log: RedisLog;
  readonly #kind: Kind;
  readonly #publisher: RedisClient;
  readonly #subscriber: RedisClient;
  readonly #prefix: string;
  /** The listener of all channels; the library tells it the channel. */
  readonly #listener: MessageListener;
  readonly #report: SessionReport;
  /** The connections of a Cluster for subscriptions, which the library makes when they are needed. */
  readonly #watched = new WeakSet<RedisClient>();
  #pings = 0;
  #isOver = false;

  constructor(kind: Kind, publisher: RedisClient, subscriber: RedisClient, prefix: string, report: SessionReport) {
    this.#kind = kind;
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#prefix = prefix;
    this.#report = report;
    this.log = new RedisLog(publisher, prefix, (error) => report.fault(error));
    this.#listener = (message, channel) => {
      if (!this.#isOver) this.#hand(channel.toString().slice(prefix.length), message);
    };
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    const [name, bytes] = [this.#prefix + channel, encodeEnvelope(envelope)];
    try {
      // The package takes publishing for reading, and a replica would tell its own subscribers alone.
      if (this.#kind === "sentinel") await this.#publisher.sendCommand(false, ["SPUBLISH", name, bytes]);
      else await this.#publisher.sPublish(name, bytes);
    } catch (error) {
      // Anything but a refusal, such as the news that a slot has moved, may concern other messages as well.
      if (!isRefusal(error)) this.#report.fault(error);
      throw error;
    }
  }

  async subscribe(channels: readonly string[]): Promise<Refusals> {
    const groups = this.#groupsOf(channels);
    const refusals = await this.#subscribe(groups);
    if (refusals.size === 0 || groups.length === channels.length) return refusals;
    // The server refuses a command because of one of its channels, and does not say of which.
    return this.#subscribe(channels.map((channel) => [channel]));
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    const outcomes = await Promise.allSettled(
      this.#groupsOf(channels).map((group) => {
        return this.#subscriber.sUnsubscribe(this.#namesOf(group), this.#listener, true);
      }),
    );
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  async interested(channels: readonly string[]): Promise<readonly boolean[] | undefined> {
    const question = ["PUBSUB", "SHARDNUMSUB", ...this.#namesOf(channels)];
    try {
      const answers = (await this.#askMasters(question)) as readonly (readonly unknown[])[];
      // Each channel is followed by its number of subscribers. In a Cluster, one server has all subscribers of a channel.
      return channels.map((_, index) => answers.some((counts) => counts[2 * index + 1] !== 0));
    } catch (error) {
      if (isUnavailable(error)) return undefined;
      this.#report.fault(error);
      throw error;
    }
  }

  async ping(): Promise<void> {
    if (++this.#pings % PINGS_TO_REFRESH === 0) this.log.refresh();
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

  /** Sends a command to every master. */
  async #askMasters(args: readonly string[]): Promise<readonly unknown[]> {
    const { masters = [] } = this.#publisher;
    if (this.#kind === "single") return [await this.#publisher.sendCommand(args)];
    // The package would take this for a command that a replica can answer.
    if (this.#kind === "sentinel") return [await this.#publisher.sendCommand(false, args)];
    const known = new Set(masters.map(({ id }) => id));
    return Promise.all(
      masters.map(async (node) => {
        const client = await this.#publisher.nodeClient(node);
        const [answer, slots] = await Promise.all([client.sendCommand(args), client.sendCommand(["CLUSTER", "SLOTS"])]);
        // The answer does not tell that a channel has moved to a server that this session does not know.
        if ((slots as Slots).every(([, , [, , id]]) => known.has(String(id)))) return answer;
        throw new Error("The Cluster has another master.");
      }),
    );
  }

  #hand(channel: string, message: Buffer): void {
    const content = decodeMessage(message);
    if (content instanceof Uint8Array) this.#report.message(channel, content);
    else for (const record of content) this.#report.recorded(channel, record);
  }

  /** Subscribes with one command for each group of channels. Returns what the server has said to those that it refuses. */
  async #subscribe(groups: readonly (readonly string[])[]): Promise<Refusals> {
    const refusals = new Map<string, Error>();
    const outcomes = await Promise.allSettled(
      groups.map(async (group) => {
        const subscribed = this.#subscriber.sSubscribe(this.#namesOf(group), this.#listener, true);
        this.#watch();
        try {
          await subscribed;
        } catch (error) {
          if (!isRefusal(error)) throw error;
          for (const channel of group) refusals.set(channel, error);
        }
      }),
    );
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    return refusals;
  }

  /** Divides channels into those of one command: in a Cluster, whose servers take only channels of one slot, each alone. */
  #groupsOf(channels: readonly string[]): readonly (readonly string[])[] {
    return this.#kind === "cluster" ? channels.map((channel) => [channel]) : [channels];
  }

  #namesOf(channels: readonly string[]): readonly string[] {
    return channels.map((channel) => this.#prefix + channel);
  }

  /** Watches new connections of a Cluster for subscriptions: the library tells only them that a slot has moved. */
  #watch(): void {
    for (const { pubSub } of this.#publisher.masters ?? []) {
      if (pubSub === undefined || this.#watched.has(pubSub.client)) continue;
      this.#watched.add(pubSub.client);
      pubSub.client.on("sharded-channel-moved", (channel) => {
        this.#report.fault(new Error(`The slot of the channel ${String(channel)} has moved to another server.`));
      });
    }
  }
}

/** Destroys a client. For one that was never connected the package fails, either by throwing or by rejecting. */
async function destroyAsync(client: RedisClient): Promise<void> {
  await client.destroy();
}

function destroy(client: RedisClient): void {
  destroyAsync(client).catch(() => {});
}
