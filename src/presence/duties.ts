import type { Clock } from "../time/clock.ts";
import type { Departure } from "./people.ts";

/** The number of leases in which every node has noticed that another one has died. */
const NOTICED = 3;

/** A node that has listeners, and the time since which it has. */
export interface ListeningNode {
  readonly node: string;
  readonly listens: number;
}

/** A departure on which another node is to act. */
interface Delegated {
  readonly node: string;
  readonly departure: Departure;
  readonly data: unknown;
  readonly until: number;
}

export interface DutiesParts {
  readonly clock: Clock;
  /** The id of this node. */
  readonly self: string;
  /** The time without a sign of life after which a node is gone, in milliseconds; `undefined` if there are no others. */
  readonly lease: number | undefined;
  /** Returns the nodes that have listeners, in any order. */
  readonly listening: () => readonly ListeningNode[];
  /** Called for a departure on which another node was to act, and cannot: this one has to. */
  readonly inherited: (user: string, data: unknown, key: string) => void;
}

/** Which node acts on the departures of users from a room: one, and another one if it cannot. */
export class Duties {
  readonly #parts: DutiesParts;
  readonly #delegated = new Map<string, Delegated>();
  /** The departures on which other nodes have acted, by their keys, and until when that is remembered. */
  readonly #acts = new Map<string, number>();

  constructor(parts: DutiesParts) {
    this.#parts = parts;
  }

  /**
   * Decides who acts on a departure.
   *
   * @param acted - whether another node has acted on it.
   * @returns whether this node does.
   */
  decide(user: string, data: unknown, departure: Departure, acted: boolean): boolean {
    const { clock, lease, self } = this.#parts;
    const node = this.#actorOf(departure);
    if (node === self) return true;
    if (!acted && node !== undefined && lease !== undefined && !this.#acts.has(keyOf(departure))) {
      this.#delegated.set(user, { node, departure, data, until: clock.now() + NOTICED * lease });
    }
    return false;
  }

  /** Another node has acted, whether or not this one has noticed yet that somebody has to. */
  acted(user: string, key: string): void {
    const { clock, lease = 0 } = this.#parts;
    const delegated = this.#delegated.get(user);
    if (delegated !== undefined && keyOf(delegated.departure) === key) this.#delegated.delete(user);
    else this.#acts.set(key, clock.now() + NOTICED * lease);
  }

  /** A user has come back: nobody has to act any more. */
  returned(user: string): void {
    this.#delegated.delete(user);
  }

  /** Finds another one to act on the departures on which this node was to act: it may have gone before it did. */
  gone(node: string): void {
    for (const [user, delegated] of this.#delegated) {
      if (delegated.node !== node) continue;
      const { departure, data } = delegated;
      const next = this.#actorOf(departure);
      this.#delegated.delete(user);
      if (next === this.#parts.self) this.#parts.inherited(user, data, keyOf(departure));
      else if (next !== undefined) this.#delegated.set(user, { ...delegated, node: next });
    }
  }

  /** Forgets what is settled by now. */
  look(): void {
    const now = this.#parts.clock.now();
    for (const [key, until] of this.#acts) if (until <= now) this.#acts.delete(key);
    for (const [user, { until }] of this.#delegated) if (until <= now) this.#delegated.delete(user);
  }

  /**
   * Returns the node that acts on a departure: the one that the user was on, or that which has had listeners for the longest
   * time, because it knows most; `undefined` if none has any.
   */
  #actorOf({ node }: Departure): string | undefined {
    const listening = this.#parts.listening();
    if (listening.some((other) => other.node === node)) return node;
    const [first] = listening.toSorted((one, two) => one.listens - two.listens || (one.node < two.node ? -1 : 1));
    return first?.node;
  }
}

/** Returns the text that names a stay on a node, and the departure that ends it. */
export function keyOf({ node, since }: Pick<Departure, "node" | "since">): string {
  return `${node}${since}`;
}
