/** How many connections there may be; `undefined` is no limit. */
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
  /** Connections by subscriber, where there are any. Absent where no limit needs the numbers. */
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

/**
 * Returns the subscriber that has the address: the address itself for IPv4, its /64 prefix for IPv6. Every subscriber is given
 * at least a /64 (RFC 6177), 2^64 addresses to connect from: a limit for each address would be no limit.
 */
function subscriberOf(address: string): string {
  if (!address.includes(":")) return address;
  const [left = [], right] = address.split("::", 2).map(groupsOf);
  const zeros = right === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => "0"), ...(right ?? [])];
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** Returns the groups of a part of an IPv6 address; an IPv4 address at its end stands for two groups. */
function groupsOf(part: string): string[] {
  if (part === "") return [];
  return part.split(":").flatMap((group) => (group.includes(".") ? [group, ""] : [group]));
}
