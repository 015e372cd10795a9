import { subscriberOf } from "../checks/subscriber.ts";

/** Limits of the number of connections; `undefined` is no limit. */
export interface OccupancyLimits {
  readonly maxConnections: number | undefined;
  readonly maxConnectionsPerAddress: number | undefined;
}

/** The limit that one more connection would exceed. */
export type Obstacle = "capacity" | "address-capacity";

/** Counts connections, together and from each address. */
export class Occupancy {
  readonly #most: number;
  readonly #mostPerAddress: number;
  /** Number of connections of each subscriber that has any; absent where no limit needs these numbers. */
  readonly #perSubscriber: Map<string, number> | undefined;
  #total = 0;

  constructor({ maxConnections, maxConnectionsPerAddress }: OccupancyLimits) {
    this.#most = maxConnections ?? Infinity;
    this.#mostPerAddress = maxConnectionsPerAddress ?? Infinity;
    this.#perSubscriber = maxConnectionsPerAddress === undefined ? undefined : new Map();
  }

  /** Returns the limit that one more connection from this address would exceed, if there is one. */
  obstacleTo(address: string): Obstacle | undefined {
    if (this.#total >= this.#most) return "capacity";
    const from = this.#perSubscriber?.get(subscriberOf(address)) ?? 0;
    return from >= this.#mostPerAddress ? "address-capacity" : undefined;
  }

  /** Counts a connection from this address. */
  enter(address: string): void {
    this.#total += 1;
    // Clients of a Unix domain socket have no address: all of them would count as one subscriber.
    if (this.#perSubscriber === undefined || address === "") return;
    const subscriber = subscriberOf(address);
    this.#perSubscriber.set(subscriber, (this.#perSubscriber.get(subscriber) ?? 0) + 1);
  }

  /** Counts a connection from this address as ended. */
  leave(address: string): void {
    this.#total -= 1;
    const subscriber = subscriberOf(address);
    const from = this.#perSubscriber?.get(subscriber);
    if (from === undefined) return;
    if (from === 1) this.#perSubscriber?.delete(subscriber);
    else this.#perSubscriber?.set(subscriber, from - 1);
  }
}
