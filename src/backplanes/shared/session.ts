/** The functions that a session reports to. */
export interface SessionReport {
  /** Hands over an envelope. */
  message(channel: string, envelope: Uint8Array): void;
  /** Tells that the session cannot be used any more. It will then be ended, and its later reports are ignored. */
  fault(error: unknown): void;
}

/** The error of a session whose engine refuses subscriptions and is otherwise well. */
export class SubscriptionRefused extends Error {
  /** @param cause - what the engine said. */
  constructor(cause: unknown) {
    super("The engine refuses the subscription.", { cause });
  }
}

/** A connection to an engine, from its start to its end. */
export interface Session {
  /** The size of the largest envelope that the engine takes, in bytes. */
  readonly maxBytes: number;
  /**
   * Publishes an envelope, once. The promise resolves when the engine has taken it, and rejects when the engine refuses
   * it or the session ends before that.
   */
  publish(channel: string, envelope: Uint8Array): Promise<void>;
  /**
   * Subscribes to channels, none of which is subscribed to yet. The promise resolves when the engine has confirmed all.
   * It rejects with {@link SubscriptionRefused} when the engine refuses any of them; then none of them is subscribed to.
   * It is called again only when the promise of the last call is settled.
   */
  subscribe(channels: readonly string[]): Promise<void>;
  /** Unsubscribes from channels. */
  unsubscribe(channels: readonly string[]): Promise<void>;
  /** Asks the engine for an answer. The promise resolves when it has answered on every connection. */
  ping(): Promise<void>;
}

/**
 * Starts a session. The promise rejects when the engine cannot be reached.
 *
 * @param signal - ends the session at once when it is aborted, with everything that was begun for it, also before the
 *   promise has settled: pending promises reject, and no connection stays open.
 */
export type Connect = (report: SessionReport, signal: AbortSignal) => Promise<Session>;
