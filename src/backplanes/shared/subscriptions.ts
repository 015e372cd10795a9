import { createDeferred, type Deferred } from "../../deferred.ts";
import { watch } from "../../guard.ts";
import type { Session } from "./session.ts";

/** The number of channels that one call to the engine may have. */
const AT_ONCE = 1_000;

export interface SubscriptionsReport {
  /** Tells that a session has failed. */
  failed(session: Session, error: unknown): void;
  /** Tells that the engine refuses a channel. */
  refused(channel: string, error: unknown): void;
}

/** What an engine has answered to channels: an error to each that it refuses, nothing to those that it has confirmed. */
export type Answers = Map<string, Error | undefined>;

/**
 * The channels that the hub has subscribed to. They are kept without a session, and brought to the engine with one. What
 * the engine refuses is kept as well, for the next session.
 */
export class Subscriptions {
  readonly #wanted = new Map<string, Deferred>();
  // The changes that the engine was not told yet.
  readonly #added = new Set<string>();
  readonly #removed = new Set<string>();
  /** The channels that the engine is asked for now. */
  #asked: ReadonlySet<string> = new Set();
  /** The channels that the engine of this session refuses. */
  readonly #refused = new Set<string>();
  #session: Session | undefined;
  /** The session whose engine is being told of changes. One that has ended may never answer. */
  #told: Session | undefined;
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
    if (!this.#removed.delete(channel)) this.#added.add(channel);
    // The engine was not told to unsubscribe yet, so it still sends messages of this channel, once it has confirmed it.
    else if (!this.#asked.has(channel)) subscription.resolve();
    this.#tell(this.#session);
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
    this.#tell(this.#session);
  }

  /**
   * Subscribes to all channels on a new session. The promise resolves when the engine has answered to all that are
   * wanted by then, and rejects when the session fails before. Nothing is settled until {@link resume}.
   *
   * @param answers - what the engine has answered on this session so far; its answers are added.
   */
  async restore(session: Session, answers: Answers): Promise<void> {
    for (let some = this.#missing(answers); some.length > 0; some = this.#missing(answers)) {
      // oxlint-disable-next-line no-await-in-loop -- an engine is not asked for everything at once
      await ask(session, some, answers);
    }
  }

  /** Returns whether the engine has answered to all channels that are wanted now. */
  isComplete(answers: Answers): boolean {
    return this.#missing(answers).length === 0;
  }

  /** Uses a session from now on, to whose engine all channels were brought. */
  resume(session: Session, answers: Answers): void {
    this.#session = session;
    this.#settle(answers);
    for (const [channel, refusal] of answers) {
      if (refusal === undefined && !this.#wanted.has(channel)) this.#removed.add(channel);
    }
    this.#tell(session);
  }

  /** Notes that the session is over. The next one will confirm what this one did not. */
  suspend(): void {
    this.#session = undefined;
    this.#asked = new Set();
    this.#added.clear();
    this.#removed.clear();
    this.#refused.clear();
  }

  /** Unsubscribes from all channels. Subscriptions that are not confirmed reject. */
  close(error: unknown): void {
    for (const { reject } of this.#wanted.values()) reject(error);
    this.#wanted.clear();
    this.suspend();
  }

  #missing(answers: Answers): readonly string[] {
    return [...this.#wanted.keys()].filter((channel) => !answers.has(channel));
  }

  #tell(session: Session): void {
    if (this.#told === session) return;
    this.#told = session;
    watch({ error: (error) => this.#report.failed(session, error) }, this.#tellAll(session));
  }

  async #tellAll(session: Session): Promise<void> {
    // The changes of one turn are told to the engine together.
    await Promise.resolve();
    while (session === this.#session && this.#added.size + this.#removed.size > 0) {
      const answers: Answers = new Map();
      const removed = [...this.#removed];
      this.#asked = new Set(this.#added);
      this.#added.clear();
      this.#removed.clear();
      // oxlint-disable-next-line no-await-in-loop -- later changes must not overtake these
      await Promise.all([
        ask(session, [...this.#asked], answers),
        ...partsOf(removed).map((channels) => session.unsubscribe(channels)),
      ]);
      if (session !== this.#session) return;
      this.#asked = new Set();
      this.#settle(answers);
    }
    if (session === this.#session) this.#told = undefined;
  }

  /** Settles the promises of channels to which the engine of this session has answered. */
  #settle(answers: Answers): void {
    for (const [channel, refusal] of answers) {
      const subscription = this.#wanted.get(channel);
      if (refusal === undefined) {
        subscription?.resolve();
      } else if (subscription === undefined) {
        // There is nothing that the engine could be told to unsubscribe from.
        this.#removed.delete(channel);
      } else {
        this.#refused.add(channel);
        this.#report.refused(channel, refusal);
        subscription.reject(refusal);
      }
    }
  }
}

/** Subscribes to channels, and notes what the engine answers to each. */
async function ask(session: Session, channels: readonly string[], answers: Answers): Promise<void> {
  for (const some of partsOf(channels)) {
    // oxlint-disable-next-line no-await-in-loop -- an engine is not asked for everything at once
    const refusals = await session.subscribe(some);
    for (const channel of some) answers.set(channel, refusals.get(channel));
  }
}

function partsOf(channels: readonly string[]): string[][] {
  const parts: string[][] = [];
  for (let start = 0; start < channels.length; start += AT_ONCE) parts.push(channels.slice(start, start + AT_ONCE));
  return parts;
}
