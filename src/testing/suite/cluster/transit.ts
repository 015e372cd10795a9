import { Buffer } from "node:buffer";
import type { Backplane, BackplaneHandlers, BackplaneLog } from "../../../backplanes/backplane.ts";

/**
 * What is on its way between the backplanes of a test: the envelopes that the engine has, and still has to hand over to
 * some of them.
 */
export class Transit {
  readonly #stops = new Set<Stop>();

  /** Watches a backplane from now on. Returns what to use in its place. */
  watch(backplane: Backplane): Backplane {
    const stop = new Stop(backplane, this.#stops);
    this.#stops.add(stop);
    return stop;
  }

  /** Whether every envelope has arrived at all backplanes that have to get it. */
  get isOver(): boolean {
    return [...this.#stops].every((stop) => stop.expected.size === 0);
  }
}

/** A backplane, and what has to arrive at it. */
class Stop implements Backplane {
  readonly ordered: boolean;
  readonly log?: BackplaneLog;
  readonly interested?: NonNullable<Backplane["interested"]>;
  /** How often each envelope has to arrive. */
  readonly expected: Map<string, number> = new Map();
  readonly #backplane: Backplane;
  readonly #others: ReadonlySet<Stop>;
  /** The channels that are subscribed to, and whether the engine has confirmed each. */
  readonly #channels = new Map<string, { isConfirmed: boolean }>();
  #isUp = false;

  constructor(backplane: Backplane, others: ReadonlySet<Stop>) {
    this.ordered = backplane.ordered;
    if (backplane.log !== undefined) this.log = backplane.log;
    if (backplane.interested !== undefined) this.interested = backplane.interested.bind(backplane);
    this.#backplane = backplane;
    this.#others = others;
  }

  start(handlers: BackplaneHandlers): void {
    this.#backplane.start({
      ...handlers,
      message: (channel, envelope) => {
        this.#forget(keyOf(channel, envelope));
        handlers.message(channel, envelope);
      },
      refused: (channel, error) => {
        this.#channels.delete(channel);
        handlers.refused(channel, error);
      },
      up: (maxBytes) => {
        this.#isUp = true;
        handlers.up(maxBytes);
      },
      down: (error) => {
        this.#isUp = false;
        this.expected.clear();
        handlers.down(error);
      },
    });
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    const key = keyOf(channel, envelope);
    const receivers = [...this.#others].filter((stop) => stop !== this && stop.#hears(channel));
    for (const { expected } of receivers) expected.set(key, (expected.get(key) ?? 0) + 1);
    try {
      await this.#backplane.publish(channel, envelope);
    } catch (error) {
      for (const stop of receivers) stop.#forget(key);
      throw error;
    }
  }

  async subscribe(channel: string): Promise<void> {
    const subscription = this.#channels.get(channel) ?? { isConfirmed: false };
    this.#channels.set(channel, subscription);
    await this.#backplane.subscribe(channel);
    subscription.isConfirmed = true;
  }

  unsubscribe(channel: string): void {
    this.#channels.delete(channel);
    for (const key of this.expected.keys()) if (key.startsWith(keyOf(channel))) this.expected.delete(key);
    this.#backplane.unsubscribe(channel);
  }

  async close(): Promise<void> {
    this.#isUp = false;
    this.expected.clear();
    await this.#backplane.close();
  }

  #hears(channel: string): boolean {
    return this.#isUp && this.#channels.get(channel)?.isConfirmed === true;
  }

  #forget(key: string): void {
    const count = this.expected.get(key);
    if (count === undefined) return;
    if (count > 1) this.expected.set(key, count - 1);
    else this.expected.delete(key);
  }
}

function keyOf(channel: string, envelope?: Uint8Array): string {
  return `${channel}\n${envelope === undefined ? "" : Buffer.from(envelope).toString("latin1")}`;
}
