/** The most that may be in; `undefined` is no limit. */
export interface OccupancyLimits {
  readonly maxConnections: number | undefined;
  readonly maxConnectionsPerAddress: number | undefined;
}

/** Which limit one more would exceed. */
export type Obstacle = "capacity" | "address-capacity";

/** Counts who is in, together and from each address. */
export class Occupancy {
  readonly #most: number;
  readonly #mostPerAddress: number;
  /** By subscriber. Absent where nobody asks; without an entry for whom nobody is in. */
  readonly #perSubscriber: Map<string, number> | undefined;
  #total = 0;

  constructor({ maxConnections, maxConnectionsPerAddress }: OccupancyLimits) {
    this.#most = maxConnections ?? Infinity;
    this.#mostPerAddress = maxConnectionsPerAddress ?? Infinity;
    this.#perSubscriber = maxConnectionsPerAddress === undefined ? undefined : new Map();
  }

  /** What stands against one more, or `undefined`. */
  obstacleTo(address: string): Obstacle | undefined {
    if (this.#total >= this.#most) return "capacity";
    const from = this.#perSubscriber?.get(subscriberOf(address)) ?? 0;
    return from >= this.#mostPerAddress ? "address-capacity" : undefined;
  }

  enter(address: string): void {
    this.#total += 1;
    // On a Unix domain socket there are no addresses: all clients would count as one.
    if (this.#perSubscriber === undefined || address === "") return;
    const subscriber = subscriberOf(address);
    this.#perSubscriber.set(subscriber, (this.#perSubscriber.get(subscriber) ?? 0) + 1);
  }

  /** One that has entered, with the same address, has left. */
  leave(address: string): void {
    this.#total -= 1;
    const subscriber = subscriberOf(address);
    const from = this.#perSubscriber?.get(subscriber);
    if (from === undefined) return;
    if (from === 1) this.#perSubscriber?.delete(subscriber);
    else this.#perSubscriber?.set(subscriber, from - 1);
  }
}

/**
 * Who has the address: an IPv4 address one subscriber, an IPv6 address the subscriber to whom its /64 prefix was given.
 * Everybody is given at least that much (RFC 6177), 2^64 addresses to connect from: a limit for each would be none.
 */
function subscriberOf(address: string): string {
  if (!address.includes(":")) return address;
  const [left = [], right] = address.split("::", 2).map(groupsOf);
  const zeros = right === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...(right ?? [])];
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** The groups of a part of an IPv6 address; an IPv4 address at its end stands for two. */
function groupsOf(part: string): string[] {
  if (part === "") return [];
  return part.split(":").flatMap((group) => (group.includes(".") ? [group, ""] : [group]));
}
