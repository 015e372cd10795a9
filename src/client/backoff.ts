import { returnAfter } from "../protocol/close-codes.ts";
import type { Bye } from "../protocol/packet.ts";

/** How a client comes back. All in milliseconds. */
export interface ReconnectOptions {
  /** The most that the first wait takes. Default: 500. */
  readonly minDelay?: number | undefined;
  /** The most that any wait takes. Default: 30,000. */
  readonly maxDelay?: number | undefined;
  /** A connection that lasted so long counts as a success: the waits start from the shortest. Default: 10,000. */
  readonly stableAfter?: number | undefined;
}

/** {@link ReconnectOptions} with the defaults filled in. */
export type Delays = { readonly [K in keyof ReconnectOptions]-?: number };

/** Decides whether and when a client comes back: exponential back-off with full jitter. */
export class Backoff {
  readonly #options: Delays;
  #failures = 0;
  #openedAt = Infinity;

  constructor(options: Delays) {
    this.#options = options;
  }

  opened(): void {
    this.#openedAt = Date.now();
  }

  /** How long to wait after a connection, or an attempt, has ended; `undefined` to stay away. */
  ended(code: number, bye: Bye | undefined): number | undefined {
    const { minDelay, maxDelay, stableAfter } = this.#options;
    const stable = Date.now() - this.#openedAt >= stableAfter;
    this.#openedAt = Infinity;
    if (stable) this.#failures = 0;
    const way = bye === undefined ? returnAfter(code) : bye.reconnect ? "at-once" : "never";
    if (way === "never") return undefined;
    const hint = (bye?.after ?? 0) + Math.random() * (bye?.spread ?? 0);
    // Who is sent away at once again and again has to slow down, too.
    if (way === "at-once" && stable) return hint;
    return Math.max(hint, Math.random() * Math.min(maxDelay, minDelay * 2 ** this.#failures++));
  }
}
