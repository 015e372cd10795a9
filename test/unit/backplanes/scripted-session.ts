import { setImmediate as turn } from "node:timers/promises";
import type { Refusals, Session } from "../../../src/backplanes/shared/session.ts";

/** A session of an engine that takes a number of subscriptions, and, unless it is changed, none whose name begins with "no". */
export class ScriptedSession implements Session {
  readonly maxBytes: number = 1_000;
  readonly heard: Set<string> = new Set();
  /** How many channels each call of `subscribe` had. */
  readonly calls: number[] = [];
  /** Returns whether the engine refuses a channel. */
  refuses: (channel: string) => boolean = (channel) => channel.startsWith("no");
  /** What the engine waits for before it answers to a subscription. */
  answer: () => Promise<unknown> = () => turn();
  /** What it waits for before it answers to a ping. */
  pong: () => Promise<unknown> = () => Promise.resolve();
  /** What it waits for before it confirms an envelope. */
  taken: () => Promise<unknown> = () => Promise.resolve();
  readonly #most: number;

  constructor(most: number = Infinity) {
    this.#most = most;
  }

  async publish(): Promise<void> {
    await this.taken();
  }

  async subscribe(channels: readonly string[]): Promise<Refusals> {
    this.calls.push(channels.length);
    await this.answer();
    const refusals = new Map<string, Error>();
    for (const channel of channels) {
      if (this.refuses(channel) || this.heard.size === this.#most) refusals.set(channel, new Error("no"));
      else this.heard.add(channel);
    }
    return refusals;
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    for (const channel of channels)
      if (!this.heard.delete(channel)) throw new Error(`${channel} is not subscribed to.`);
  }

  async interested(channels: readonly string[]): Promise<readonly boolean[]> {
    return channels.map((channel) => this.heard.has(channel));
  }

  async ping(): Promise<void> {
    await this.pong();
  }
}
