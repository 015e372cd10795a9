import type { Backplane, BackplaneHandlers } from "../../../src/backplanes/backplane.ts";
import { createDeferred, type Deferred } from "../../../src/deferred.ts";
import type { VirtualClock } from "roomcast/testing";
import { Random } from "../../support/random.ts";

// The longest times that a message is on its way, of quick and slow ways, in milliseconds of the virtual clock.
const LONGEST = [2, 12, 40];
const LONGEST_OF_SUBSCRIPTIONS = [2, 100];

/** A way between a node and the engine. */
interface Way {
  /** The delays do not depend on what happens on other ways. */
  readonly random: Random;
  readonly longest: number;
  lastDue: number;
}

/**
 * An engine whose ways are slow, each time for another while that the seed determines. Time passes on a virtual clock.
 *
 * If it is ordered, each node has one way for what it publishes, one for its subscriptions and one for what it gets, and
 * nothing overtakes anything there, as in one Redis or NATS server. Otherwise every channel has such ways of its own, as
 * in an engine that spreads its channels over several servers.
 */
export class SlowEngine {
  readonly isOrdered: boolean;
  readonly #clock: VirtualClock;
  readonly #seed: number;
  readonly #nodes = new Set<SlowBackplane>();
  readonly #ways = new Map<string, Way>();
  #underWay = 0;
  #lastNode = 0;

  constructor(clock: VirtualClock, seed: number, isOrdered: boolean) {
    this.#clock = clock;
    this.#seed = seed;
    this.isOrdered = isOrdered;
  }

  /** Whether anything is under way. */
  get isBusy(): boolean {
    return this.#underWay > 0;
  }

  backplane(): Backplane {
    return new SlowBackplane(this, this.#nodes, String(++this.#lastNode));
  }

  /** Takes something along a way. What leaves later on the same way arrives later. */
  carry(way: string, channel: string, arrived: () => void, longest: readonly number[] = LONGEST): void {
    const taken = this.#way(this.isOrdered ? way : `${way} ${channel}`, longest);
    const now = this.#clock.now();
    const due = Math.max(taken.lastDue, now + taken.random.between(1, taken.longest));
    taken.lastDue = due;
    this.#underWay++;
    this.#clock.setTimeout(() => {
      this.#underWay--;
      arrived();
    }, due - now);
  }

  #way(name: string, longest: readonly number[]): Way {
    let way = this.#ways.get(name);
    if (way === undefined) {
      const random = new Random(hashOf(this.#seed, name));
      this.#ways.set(name, (way = { random, longest: random.pick(longest), lastDue: 0 }));
    }
    return way;
  }
}

class SlowBackplane implements Backplane {
  readonly ordered: boolean;
  readonly #engine: SlowEngine;
  readonly #nodes: Set<SlowBackplane>;
  readonly #name: string;
  /** The channels that the hub wants. */
  readonly #wanted = new Map<string, Deferred>();
  /** The channels that the engine knows of. */
  readonly #subscribed = new Set<string>();
  #handlers: BackplaneHandlers | undefined;

  constructor(engine: SlowEngine, nodes: Set<SlowBackplane>, name: string) {
    this.#name = name;
    this.ordered = engine.isOrdered;
    this.#engine = engine;
    this.#nodes = nodes;
  }

  start(handlers: BackplaneHandlers): void {
    this.#handlers = handlers;
    this.#nodes.add(this);
    queueMicrotask(() => {
      for (const [channel, { resolve }] of this.#wanted) {
        this.#subscribed.add(channel);
        resolve();
      }
      handlers.up();
    });
  }

  publish(channel: string, envelope: Uint8Array): Promise<void> {
    const bytes = Uint8Array.from(envelope);
    return new Promise((resolve) => {
      this.#engine.carry(`from ${this.#name}`, channel, () => {
        for (const node of this.#nodes) if (node !== this) node.#deliver(channel, bytes);
        resolve();
      });
    });
  }

  subscribe(channel: string): Promise<void> {
    const known = this.#wanted.get(channel);
    if (known !== undefined) return known.promise;
    const subscription = createDeferred();
    this.#wanted.set(channel, subscription);
    this.#tell(channel, () => {
      this.#subscribed.add(channel);
      this.#engine.carry(`to ${this.#name}`, channel, subscription.resolve);
    });
    return subscription.promise;
  }

  unsubscribe(channel: string): void {
    this.#wanted.get(channel)?.reject(new Error("The channel was unsubscribed."));
    this.#wanted.delete(channel);
    this.#tell(channel, () => this.#subscribed.delete(channel));
  }

  async close(): Promise<void> {
    this.#nodes.delete(this);
  }

  /** Tells the engine of a subscription. */
  #tell(channel: string, arrived: () => void): void {
    this.#engine.carry(`subscriptions of ${this.#name}`, channel, arrived, LONGEST_OF_SUBSCRIPTIONS);
  }

  #deliver(channel: string, bytes: Uint8Array): void {
    if (!this.#subscribed.has(channel)) return;
    this.#engine.carry(`to ${this.#name}`, channel, () => {
      if (this.#wanted.has(channel)) this.#handlers?.message(channel, Uint8Array.from(bytes));
    });
  }
}

/** Mixes a text into a seed: FNV-1a. */
function hashOf(seed: number, text: string): number {
  let hash = seed | 0;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}
