import type { Clock, Timer } from "../time/clock.ts";
import type { Limits } from "./limits.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What is left of the rates that a client has to keep to. */
export interface Allowance {
  readonly messages: TokenBucket;
  readonly bytes: TokenBucket;
  /** Absent until the client does something wrong. */
  violations: TokenBucket | undefined;
  /** Absent until the client is sent recorded events again. */
  replay: TokenBucket | undefined;
  /** Number of connections with this allowance that were closed for abuse. */
  abuses: number;
  /** Whether this allowance waits for the next connection of its owner. */
  isParked: boolean;
}

/** Something that has to keep to rates. */
export interface Rated {
  /** Absent until the client sends something, or takes something over, so that an idle connection takes no memory for it. */
  allowance: Allowance | undefined;
  /** The keys of those whose connection this is: the next connection of any of them takes over what is left. */
  readonly owners: readonly string[];
  readonly connection: { readonly bytesRead?: number };
  /** The bytes read from the connection when its last message was charged, where the transport tells. */
  chargedBytes: number;
  /** Whether messages of the client wait because its rate is used up. */
  isDelayed: boolean;
}

type Rates = Pick<Limits, "messages" | "bytes" | "violations" | "replay">;

/** The longest header of a frame from a client (RFC 6455 section 5.2), which is not charged. */
const HEADER = 14;

/** Units of weight that are charged as one byte. */
const WEIGHT_PER_BYTE = 3;

/** How much time a client that waits for its rate gets at once, in milliseconds: so often it is looked at. */
const QUANTUM = 50;

/** The most allowances that are parked; above, the oldest are forgotten, which are nearly full again. */
const MAX_PARKED = 65_536;

/** How often parked allowances are looked through, in milliseconds. */
const SWEEP_INTERVAL = 1_000;

/** While so many connections of an owner wait for their rates, a new one shares the allowance of one of them. */
const MAX_DELAYED = 4;

/** From so many closes for abuse on, an owner may not connect until the debts of these connections are paid. */
const MAX_ABUSED = 8;

/**
 * Holds clients to their rates. A client that sends more than its rate is not punished: it has to wait.
 *
 * What is left outlives its connection: an allowance that is not full is parked, and the next connection of the same owner takes
 * it over, so that reconnecting renews nothing. A connection that waits may have been left by its client, which is not seen as long
 * as nothing is read: so a new connection of an owner that keeps several waiting has no allowance of its own.
 */
export class RateLimits {
  readonly #rates: Rates;
  readonly #clock: Clock;
  /**
   * The parked allowances of each owner, the emptiest last. Each may be parked for several owners, and for one of them
   * again before it has gone from the list of another.
   */
  readonly #parked = new Map<string, Allowance[]>();
  /** The clients of each owner that wait for their rates. */
  readonly #delayed = new Map<string, Set<Rated>>();
  #count = 0;
  #timer: Timer | undefined;

  constructor(rates: Rates, clock: Clock) {
    this.#rates = rates;
    this.#clock = clock;
  }

  /** Lets a new connection take over what was left to the last ones of the same owners, if it is not full again. */
  enter(client: Rated): void {
    client.chargedBytes = client.connection.bytesRead ?? 0;
    if (this.#count > 0) client.allowance = this.#takeOver(client.owners, this.#clock.now());
    if (this.#delayed.size > 0) client.allowance ??= this.#shared(client.owners);
  }

  /** Returns how long a client has to wait until its next message is handled, in milliseconds; 0 if it need not wait. */
  delayOf(client: Rated): number {
    const now = this.#clock.now();
    const { messages, bytes } = this.#allowanceOf(client, now);
    if (messages.level(now) >= 1 && bytes.level(now) > 0) {
      if (client.isDelayed) this.#goesOn(client);
      return 0;
    }
    if (!client.isDelayed) this.#waits(client);
    return QUANTUM + Math.max(messages.delayUntil(1, now), bytes.delayUntil(1, now));
  }

  /** Charges a message. What the message takes beyond the allowance is a debt, which has to be paid before the next one. */
  charge(client: Rated, byteLength: number, weight: number): void {
    const now = this.#clock.now();
    const { messages, bytes } = this.#allowanceOf(client, now);
    messages.take(1, now);
    bytes.take(Math.max(byteLength, weight / WEIGHT_PER_BYTE, unchargedOf(client) - HEADER), now);
  }

  /** Charges a control frame. Returns whether the client may go on: a debt of a whole burst is a flood. */
  chargeControl(client: Rated): boolean {
    const now = this.#clock.now();
    return this.#allowanceOf(client, now).messages.take(1, now) > -this.#rates.messages.burst;
  }

  /** Counts a violation of this cost. Returns whether the client may go on. */
  violated(client: Rated, cost: number): boolean {
    const now = this.#clock.now();
    const allowance = this.#allowanceOf(client, now);
    allowance.violations ??= new TokenBucket(this.#rates.violations, now);
    return allowance.violations.take(cost, now) >= 0;
  }

  /** Returns how long a client has to wait until it may be sent recorded events again, in milliseconds; 0 if it need not. */
  replayDelayOf(client: Rated): number {
    const { replay } = client.allowance ?? {};
    return replay?.delayUntil(1, this.#clock.now()) ?? 0;
  }

  /** Charges bytes of recorded events that are sent to a client again. */
  chargeReplay(client: Rated, byteLength: number): void {
    const now = this.#clock.now();
    const allowance = this.#allowanceOf(client, now);
    allowance.replay ??= new TokenBucket(this.#rates.replay, now);
    allowance.replay.take(byteLength, now);
  }

  /** Notes that the connection of a client is closed for abuse. */
  abused(client: Rated): void {
    this.#allowanceOf(client, this.#clock.now()).abuses++;
  }

  /**
   * Parks what is left to a client whose connection has ended while its messages wait: it goes on with its allowance, and
   * shares that with the next connection of the same owners.
   */
  leave({ allowance, owners }: Rated): void {
    if (allowance !== undefined) this.#park(allowance, owners);
  }

  /** Parks what is left to a client that has ended, for the next connection of the same owners. */
  park(client: Rated): void {
    const { allowance } = client;
    if (client.isDelayed) this.#goesOn(client);
    // What was read without making a message is charged, too.
    allowance?.bytes.take(unchargedOf(client), this.#clock.now());
    if (allowance === undefined || this.#isFull(allowance, this.#clock.now())) return;
    client.allowance = undefined;
    this.#park(allowance, client.owners);
  }

  #park(allowance: Allowance, owners: readonly string[]): void {
    if (allowance.isParked) return;
    allowance.isParked = true;
    for (const owner of owners) {
      const parked = this.#parked.get(owner);
      if (parked === undefined) this.#parked.set(owner, [allowance]);
      else parked.push(allowance);
      this.#count++;
    }
    while (this.#count > MAX_PARKED) this.#forgetOldest();
    this.#timer ??= this.#clock.setTimeout(this.#sweep, SWEEP_INTERVAL);
  }

  /** Whether so many connections of this owner were closed for abuse, and their debts not paid, that it may not connect. */
  isBanned(owner: string): boolean {
    const parked = this.#parked.get(owner);
    if (parked === undefined) return false;
    let sum = 0;
    for (const { abuses, isParked } of new Set(parked)) if (isParked) sum += abuses;
    return sum >= MAX_ABUSED;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #allowanceOf(client: Rated, now: number): Allowance {
    return (client.allowance ??= {
      messages: new TokenBucket(this.#rates.messages, now),
      bytes: new TokenBucket(this.#rates.bytes, now),
      violations: undefined,
      replay: undefined,
      abuses: 0,
      isParked: false,
    });
  }

  /** Takes over the allowance that was parked last for one of these owners. */
  #takeOver(owners: readonly string[], now: number): Allowance | undefined {
    for (const owner of owners) {
      const parked = this.#parked.get(owner);
      for (let allowance = parked?.pop(); allowance !== undefined; allowance = parked?.pop()) {
        this.#count--;
        const { isParked } = allowance;
        allowance.isParked = false;
        if (isParked && !this.#isFull(allowance, now)) return allowance;
      }
      this.#parked.delete(owner);
    }
    return undefined;
  }

  #waits(client: Rated): void {
    client.isDelayed = true;
    for (const owner of client.owners) {
      const delayed = this.#delayed.get(owner);
      if (delayed === undefined) this.#delayed.set(owner, new Set([client]));
      else delayed.add(client);
    }
  }

  #goesOn(client: Rated): void {
    client.isDelayed = false;
    for (const owner of client.owners) {
      const delayed = this.#delayed.get(owner);
      delayed?.delete(client);
      if (delayed?.size === 0) this.#delayed.delete(owner);
    }
  }

  /** Returns the allowance of a client that waits, if many of these owners do. */
  #shared(owners: readonly string[]): Allowance | undefined {
    for (const owner of owners) {
      const delayed = this.#delayed.get(owner);
      if (delayed === undefined || delayed.size < MAX_DELAYED) continue;
      for (const { allowance } of delayed) return allowance;
    }
    return undefined;
  }

  readonly #sweep = (): void => {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (const [owner, parked] of this.#parked) {
      const left = [...new Set(parked)].filter((allowance) => {
        if (this.#isFull(allowance, now)) allowance.isParked = false;
        return allowance.isParked;
      });
      this.#count -= parked.length - left.length;
      if (left.length === 0) this.#parked.delete(owner);
      else this.#parked.set(owner, left);
    }
    if (this.#count > 0) this.#timer = this.#clock.setTimeout(this.#sweep, SWEEP_INTERVAL);
  };

  #forgetOldest(): void {
    for (const [owner, parked] of this.#parked) {
      this.#count -= parked.length;
      for (const allowance of parked) allowance.isParked = false;
      this.#parked.delete(owner);
      return;
    }
  }

  #isFull({ messages, bytes, violations, replay }: Allowance, now: number): boolean {
    return [messages, bytes, violations, replay].every((bucket) => bucket?.isFull(now) ?? true);
  }
}

/** Returns the bytes that were read from a connection and not charged yet: messages with the headers of all their frames. */
function unchargedOf(client: Rated): number {
  const { bytesRead } = client.connection;
  if (bytesRead === undefined) return 0;
  const uncharged = bytesRead - client.chargedBytes;
  client.chargedBytes = bytesRead;
  return uncharged;
}
