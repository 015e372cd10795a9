import { reconnectsAtOnce } from "../protocol/close-codes.ts";
import type { Bye } from "../protocol/packet.ts";
import { now } from "./now.ts";

/** Options for reconnecting. All values are in milliseconds. */
export interface ReconnectOptions {
  /** The longest possible delay before the first attempt to reconnect. Default: 500. */
  readonly minDelay?: number | undefined;
  /** The longest possible delay before any attempt, unless the server asks for a longer one. Default: 30,000. */
  readonly maxDelay?: number | undefined;
  /**
   * The time after which a connection counts as stable: the delays then start from the shortest again. Default: 10,000.
   */
  readonly stableAfter?: number | undefined;
}

/** {@link ReconnectOptions} with the defaults filled in. */
export type Delays = { readonly [K in keyof ReconnectOptions]-?: number };

/** Decides whether and when a client reconnects, by exponential back-off with full jitter. */
export class Backoff {
  readonly #options: Delays;
  #failures = 0;
  #openedAt = Infinity;

  constructor(options: Delays) {
    this.#options = options;
  }

  opened(): void {
    this.#openedAt = now();
  }

  /**
   * Returns the delay after a connection or an attempt has ended, in milliseconds; `undefined` if the client must not
   * reconnect.
   */
  ended(code: number, bye: Bye | undefined): number | undefined {
    const stable = now() - this.#openedAt >= this.#options.stableAfter;
    this.#openedAt = Infinity;
    if (stable) this.#failures = 0;
    const isAtOnce = bye ? bye.reconnect || undefined : reconnectsAtOnce(code);
    if (isAtOnce === undefined) return undefined;
    const hint = (bye?.after ?? 0) + Math.random() * (bye?.spread ?? 0);
    // A client that the server sends away again and again must slow down, even if it may reconnect at once.
    if (isAtOnce && stable) return hint;
    return Math.max(hint, delayAfter(this.#failures++, this.#options));
  }
}

/** Returns the random time to wait after so many failures in a row and one more, in milliseconds. */
export function delayAfter(failures: number, { minDelay, maxDelay }: Delays): number {
  return Math.random() * Math.min(maxDelay, minDelay * 2 ** failures);
}
