import type { BackplaneLog, LogRecord } from "../backplane.ts";

/** The functions that a session reports to. */
export interface SessionReport {
  /** Hands over an envelope. */
  message(channel: string, envelope: Uint8Array): void;
  /** Hands over an entry of the log of a channel. */
  recorded(channel: string, record: LogRecord): void;
  /** Tells that the session cannot be used any more. It will then be ended, and its later reports are ignored. */
  fault(error: unknown): void;
}

/** What an engine has said to each channel that it refuses, while it is otherwise well. */
export type Refusals = ReadonlyMap<string, Error>;

/** A connection to an engine, from its start to its end. */
export interface Session {
  /** The size of the largest envelope that the engine takes, in bytes. */
  readonly maxBytes: number;
  /** The logs of the engine, if the backplane has any. Its promises reject when the session ends before the engine has answered. */
  readonly log?: BackplaneLog;
  /**
   * Publishes an envelope, once. The promise resolves when the engine has taken it, and rejects when the engine refuses
   * it or the session ends before that.
   */
  publish(channel: string, envelope: Uint8Array): Promise<void>;
  /**
   * Subscribes to channels, none of which is subscribed to yet. The promise resolves when the engine has answered to all,
   * with what it has said to each that it refuses. It is called again only when the promise of the last call is settled.
   */
  subscribe(channels: readonly string[]): Promise<Refusals>;
  /** Unsubscribes from channels. */
  unsubscribe(channels: readonly string[]): Promise<void>;
  /**
   * Asks the engine which of these channels have subscribers: see `interested` of a backplane. The promise also rejects when the
   * session ends before the engine has answered.
   */
  interested(channels: readonly string[]): Promise<readonly boolean[] | undefined>;
  /** Asks the engine for an answer. The promise resolves when it has answered on every connection. */
  ping(): Promise<void>;
}

/**
 * Starts a session. The promise rejects when the engine cannot be reached.
 *
 * @param signal - ends the session at once when it is aborted, with everything that was begun for it, also before the
 *   promise has settled: pending promises and those of later calls reject, and no connection stays open.
 */
export type Connect = (report: SessionReport, signal: AbortSignal) => Promise<Session>;
