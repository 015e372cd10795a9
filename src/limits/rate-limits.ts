import type { Clock } from "../time/clock.ts";
import type { Limits } from "./limits.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What is left of the rates that a client has to keep to. */
interface Allowance {
  readonly messages: TokenBucket;
  readonly bytes: TokenBucket;
  /** Absent until the client does something wrong. */
  violations: TokenBucket | undefined;
  warned: boolean;
}

/** Something that has to keep to rates. */
export interface Rated {
  /** Absent until the client sends something, so that an idle connection takes no memory for it. */
  allowance: Allowance | undefined;
}

/** What to do about a message: nothing, warn the client, or end the connection instead. */
export type RateVerdict = "fine" | "warn" | "abuse";

/** Holds clients to their rates. */
export class RateLimits {
  readonly #limits: Pick<Limits, "messages" | "bytes" | "violations">;
  readonly #clock: Clock;

  constructor(limits: Pick<Limits, "messages" | "bytes" | "violations">, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Counts a message of `byteLength` bytes. */
  received(client: Rated, byteLength: number): RateVerdict {
    const { messages, bytes } = this.#limits;
    const now = this.#clock.now();
    const allowance = this.#allowanceOf(client, now);
    const messagesLeft = allowance.messages.take(1, now);
    const bytesLeft = allowance.bytes.take(byteLength, now);
    if (messagesLeft <= -messages.burst || bytesLeft <= -bytes.burst) return "abuse";
    if (messagesLeft < 0 || bytesLeft < 0) {
      if (allowance.warned) return "fine";
      allowance.warned = true;
      return "warn";
    }
    // What this message itself took is missing, of course.
    if (messagesLeft >= messages.burst - 1 && bytesLeft >= bytes.burst - byteLength) allowance.warned = false;
    return "fine";
  }

  /** Counts a violation. Returns whether the client may go on. */
  violated(client: Rated): boolean {
    const now = this.#clock.now();
    const allowance = this.#allowanceOf(client, now);
    allowance.violations ??= new TokenBucket(this.#limits.violations, now);
    return allowance.violations.take(1, now) >= 0;
  }

  #allowanceOf(client: Rated, now: number): Allowance {
    return (client.allowance ??= {
      messages: new TokenBucket(this.#limits.messages, now),
      bytes: new TokenBucket(this.#limits.bytes, now),
      violations: undefined,
      warned: false,
    });
  }
}
