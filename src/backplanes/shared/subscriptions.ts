import { createDeferred, type Deferred } from "../../deferred.ts";
import { watch } from "../../guard.ts";
import { SubscriptionRefused, type Session } from "./session.ts";

/** The number of channels that one call to the engine may have. */
const AT_ONCE = 1_000;

export interface SubscriptionsReport {
  /** Tells that a session has failed. */
  failed(session: Session, error: unknown): void;
  /** Tells that the engine refuses a channel. */
  refused(channel: string, error: unknown): void;
}

/**
 * The channels that the hub has subscribed to. They are kept without a session, and brought to the engine with one. What
 * the engine refuses is kept as well, for the next session.
 */
export class Subscriptions {
  readonly #wanted = new Map<string, Deferred>();
  // The changes that the engine was not told yet.
  readonly #added = new Set<string>();
  readonly #removed = new Set<string>();
  /** The channels that the engine of this session refuses. */
  readonly #refused = new Set<string>();
  #session: Session | undefined;
  #isTelling = false;
  readonly #report: SubscriptionsReport;

  constructor(report: SubscriptionsReport) {
    this.#report = report;
  }

  /** Returns whether the hub has subscribed to a channel. Some messages arrive after it has unsubscribed. */
  has(channel: string): boolean {
    return this.#wanted.has(channel);
  }

  /** Subscribes to a channel. The promise resolves when the engine has confirmed it, and rejects when it refuses. */
  add(channel: string): Promise<void> {
    const known = this.#wanted.get(channel);
    if (known !== undefined) return known.promise;
    const subscription = createDeferred();
    this.#wanted.set(channel, subscription);
    if (this.#session === undefined) return subscription.promise;
    // The engine was not told to unsubscribe yet, so it still sends messages of this channel.
    if (this.#removed.delete(channel)) subscription.resolve();
    else this.#added.add(channel);
    this.#tell();
    return subscription.promise;
  }

  /** Unsubscribes from a channel. */
  remove(channel: string): void {
    const subscription = this.#wanted.get(channel);
    if (subscription === undefined) return;
    this.#wanted.delete(channel);
    subscription.reject(new Error("The channel was unsubscribed before the engine confirmed it."));
    if (this.#session === undefined) return;
    if (!this.#added.delete(channel) && !this.#refused.delete(channel)) this.#removed.add(channel);
    this.#tell();
  }

  /**
   * Subscribes to all channels on a new session. The promise resolves when the engine has confirmed or refused all that
   * are wanted by then, and rejects when the session fails before.
   */
  async restore(session: Session): Promise<void> {
    const placed = new Set<string>();
    const refusals = new Map<string, unknown>();
    for (;;) {
      const missing = [...this.#wanted.keys()].filter((channel) => !placed.has(channel) && !refusals.has(channel));
      if (missing.length === 0) break;
      // oxlint-disable-next-line no-await-in-loop -- an engine is not asked for everything at once
      for (const [channel, error] of await place(session, missing)) refusals.set(channel, error);
      for (const channel of missing) if (!refusals.has(channel)) placed.add(channel);
    }
    this.#session = session;
    this.#settle(placed, refusals);
    for (const channel of placed) if (!this.#wanted.has(channel)) this.#removed.add(channel);
    if (this.#removed.size > 0) this.#tell();
  }

  /** Notes that the session is over. The next one will confirm what this one did not. */
  suspend(): void {
    this.#session = undefined;
    this.#added.clear();
    this.#removed.clear();
    this.#refused.clear();
  }

  /** Unsubscribes from all channels. Subscriptions that are not confirmed reject. */
  close(error: unknown): void {
    for (const { reject } of this.#wanted.values()) reject(error);
    this.#wanted.clear();
    this.#session = undefined;
  }

  #tell(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    const failed = (error: unknown): void => {
      if (this.#session !== undefined) this.#report.failed(this.#session, error);
    };
    watch({ error: failed }, this.#tellAll());
  }

  async #tellAll(): Promise<void> {
    // The changes of one turn are told to the engine together.
    await Promise.resolve();
    const session = this.#session;
    try {
      while (this.#hasChanges(session)) {
        const added = [...this.#added];
        const removed = [...this.#removed];
        this.#added.clear();
        this.#removed.clear();
        // oxlint-disable-next-line no-await-in-loop -- later changes must not overtake these
        const [refusals] = await Promise.all([
          place(session, added),
          ...partsOf(removed).map((channels) => session.unsubscribe(channels)),
        ]);
        if (session === this.#session) this.#settle(added, refusals);
      }
    } catch (error) {
      if (session !== undefined) this.#report.failed(session, error);
    } finally {
      this.#isTelling = false;
      if (this.#hasChanges(this.#session)) this.#tell();
    }
  }

  /** Settles the promises of channels that the engine of this session has confirmed or refused. */
  #settle(channels: Iterable<string>, refusals: ReadonlyMap<string, unknown>): void {
    for (const [channel, error] of refusals) {
      const subscription = this.#wanted.get(channel);
      if (subscription === undefined) continue;
      this.#refused.add(channel);
      this.#report.refused(channel, error);
      subscription.reject(error);
    }
    for (const channel of channels) if (!refusals.has(channel)) this.#wanted.get(channel)?.resolve();
  }

  #hasChanges(session: Session | undefined): session is Session {
    return session !== undefined && session === this.#session && this.#added.size + this.#removed.size > 0;
  }
}

/** Subscribes to channels. Returns what the engine has said to those that it refuses. */
async function place(session: Session, channels: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
  const refusals = new Map<string, unknown>();
  // oxlint-disable-next-line no-await-in-loop -- an engine is not asked for everything at once
  for (const some of partsOf(channels)) await placeSome(session, some, refusals);
  return refusals;
}

/** Subscribes to channels, to ever fewer at once as long as the engine refuses some of them. */
async function placeSome(session: Session, channels: readonly string[], refusals: Map<string, unknown>): Promise<void> {
  try {
    await session.subscribe(channels);
  } catch (error) {
    if (!(error instanceof SubscriptionRefused)) throw error;
    const [first] = channels;
    if (channels.length === 1 && first !== undefined) {
      refusals.set(first, error.cause);
      return;
    }
    const middle = channels.length >> 1;
    await placeSome(session, channels.slice(0, middle), refusals);
    await placeSome(session, channels.slice(middle), refusals);
  }
}

function partsOf(channels: readonly string[]): string[][] {
  const parts: string[][] = [];
  for (let start = 0; start < channels.length; start += AT_ONCE) parts.push(channels.slice(start, start + AT_ONCE));
  return parts;
}
