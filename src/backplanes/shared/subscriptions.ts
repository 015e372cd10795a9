import { createDeferred, type Deferred } from "../../deferred.ts";
import { watch } from "../../guard.ts";
import type { Session } from "./session.ts";

/** The number of channels that one call to the engine may have. */
const AT_ONCE = 1_000;

/** The channels that the hub has subscribed to. They are kept without a session, and brought to the engine with one. */
export class Subscriptions {
  readonly #wanted = new Map<string, Deferred>();
  // The changes that the engine was not told yet.
  readonly #added = new Set<string>();
  readonly #removed = new Set<string>();
  #session: Session | undefined;
  #isTelling = false;
  readonly #failed: (session: Session, error: unknown) => void;

  constructor(failed: (session: Session, error: unknown) => void) {
    this.#failed = failed;
  }

  /** Returns whether the hub has subscribed to a channel. Some messages arrive after it has unsubscribed. */
  has(channel: string): boolean {
    return this.#wanted.has(channel);
  }

  /** Subscribes to a channel. The promise resolves when the engine has confirmed it. */
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
    if (!this.#added.delete(channel)) this.#removed.add(channel);
    this.#tell();
  }

  /**
   * Subscribes to all channels on a new session. The promise resolves when the engine has confirmed all that are wanted
   * by then, and rejects when the session fails before.
   */
  async restore(session: Session): Promise<void> {
    const placed = new Set<string>();
    for (;;) {
      const missing = [...this.#wanted.keys()].filter((channel) => !placed.has(channel));
      if (missing.length === 0) break;
      for (const channels of partsOf(missing)) {
        // oxlint-disable-next-line no-await-in-loop -- an engine is not asked for everything at once
        await session.subscribe(channels);
        for (const channel of channels) placed.add(channel);
      }
    }
    this.#session = session;
    for (const subscription of this.#wanted.values()) subscription.resolve();
    for (const channel of placed) if (!this.#wanted.has(channel)) this.#removed.add(channel);
    if (this.#removed.size > 0) this.#tell();
  }

  /** Notes that the session is over. The next one will confirm what this one did not. */
  suspend(): void {
    this.#session = undefined;
    this.#added.clear();
    this.#removed.clear();
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
      if (this.#session !== undefined) this.#failed(this.#session, error);
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
        await Promise.all([
          ...partsOf(removed).map((channels) => session?.unsubscribe(channels)),
          ...partsOf(added).map((channels) => session?.subscribe(channels)),
        ]);
        if (session === this.#session) for (const channel of added) this.#wanted.get(channel)?.resolve();
      }
    } catch (error) {
      if (session !== undefined) this.#failed(session, error);
    } finally {
      this.#isTelling = false;
      if (this.#hasChanges(this.#session)) this.#tell();
    }
  }

  #hasChanges(session: Session | undefined): boolean {
    return session !== undefined && session === this.#session && this.#added.size + this.#removed.size > 0;
  }
}

function partsOf(channels: readonly string[]): string[][] {
  const parts: string[][] = [];
  for (let start = 0; start < channels.length; start += AT_ONCE) parts.push(channels.slice(start, start + AT_ONCE));
  return parts;
}
