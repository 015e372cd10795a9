import { createDeferred, type Deferred } from "../../deferred.ts";
import type { Session } from "./session.ts";

/** So many channels are asked for with one call. */
const AT_ONCE = 1_000;

/** The channels that are wanted, whether or not there is a session, and what has to be said to make it so. */
export class Subscriptions {
  readonly #wanted = new Map<string, Deferred>();
  /** What was not said yet. */
  readonly #added = new Set<string>();
  readonly #removed = new Set<string>();
  #session: Session | undefined;
  #isSaying = false;
  readonly #failed: (session: Session, error: unknown) => void;

  constructor(failed: (session: Session, error: unknown) => void) {
    this.#failed = failed;
  }

  /** Whether messages of this channel are wanted. Some come after it was removed. */
  has(channel: string): boolean {
    return this.#wanted.has(channel);
  }

  add(channel: string): Promise<void> {
    const known = this.#wanted.get(channel);
    if (known !== undefined) return known.promise;
    const subscription = createDeferred();
    this.#wanted.set(channel, subscription);
    if (this.#session === undefined) return subscription.promise;
    // The engine was not told that it was unwanted, and has gone on.
    if (this.#removed.delete(channel)) subscription.resolve();
    else this.#added.add(channel);
    this.#speak();
    return subscription.promise;
  }

  remove(channel: string): void {
    const subscription = this.#wanted.get(channel);
    if (subscription === undefined) return;
    this.#wanted.delete(channel);
    subscription.reject(new Error("The channel was unsubscribed before it was heard."));
    if (this.#session === undefined) return;
    if (!this.#added.delete(channel)) this.#removed.add(channel);
    this.#speak();
  }

  /** Resolves when all that is wanted by then is in place. Rejects when the session fails before. */
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
    if (this.#removed.size > 0) this.#speak();
  }

  /** The session is over. What was not confirmed will be by the next one. */
  suspend(): void {
    this.#session = undefined;
    this.#added.clear();
    this.#removed.clear();
  }

  /** Nothing is wanted any more. */
  close(error: unknown): void {
    for (const { reject } of this.#wanted.values()) reject(error);
    this.#wanted.clear();
    this.#session = undefined;
  }

  #speak(): void {
    if (this.#isSaying) return;
    this.#isSaying = true;
    void this.#say();
  }

  async #say(): Promise<void> {
    // What one turn wants is said together.
    await Promise.resolve();
    const session = this.#session;
    try {
      while (this.#hasToSay(session)) {
        const added = [...this.#added];
        const removed = [...this.#removed];
        this.#added.clear();
        this.#removed.clear();
        // oxlint-disable-next-line no-await-in-loop -- what is said later must not overtake this
        await Promise.all([
          ...partsOf(removed).map((channels) => session?.unsubscribe(channels)),
          ...partsOf(added).map((channels) => session?.subscribe(channels)),
        ]);
        if (session === this.#session) for (const channel of added) this.#wanted.get(channel)?.resolve();
      }
    } catch (error) {
      if (session !== undefined) this.#failed(session, error);
    } finally {
      this.#isSaying = false;
      if (this.#hasToSay(this.#session)) this.#speak();
    }
  }

  #hasToSay(session: Session | undefined): boolean {
    return session !== undefined && session === this.#session && this.#added.size + this.#removed.size > 0;
  }
}

function partsOf(channels: readonly string[]): string[][] {
  const parts: string[][] = [];
  for (let start = 0; start < channels.length; start += AT_ONCE) parts.push(channels.slice(start, start + AT_ONCE));
  return parts;
}
