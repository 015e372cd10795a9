/** What a hub appends to the log of a channel. */
export interface LogEntry {
  /** The hub that appends it: an id of letters, digits, `-` and `_` that no other hub has, or ever had. */
  readonly origin: string;
  /** A whole number from 1, which grows from entry to entry of one origin on a channel. */
  readonly number: number;
  /** The engine never reads it. */
  readonly envelope: Uint8Array;
  /** `true` for an entry that stands for others, of which nobody can know. Its envelope is empty. */
  readonly hole?: true;
}

/** A place in the log of a channel. */
export interface LogPosition {
  /** Names this log among all that the channel ever has: a short text of letters, digits, `-` and `_`. */
  readonly epoch: string;
  /** A whole number from 1, which grows from entry to entry. */
  readonly at: number;
}

/** An entry in its place. */
export interface LogRecord extends LogEntry, LogPosition {
  /** The `at` of the entry before it in the log, even if that was trimmed; 0 for the first. */
  readonly previous: number;
}

/** How much is kept of the log of a channel. */
export interface LogLimits {
  /** The number of the last entries that are kept; an engine may keep some more, and need not keep those older than `age`. */
  readonly size: number;
  /** The time without an entry after which the log is forgotten, in milliseconds; an engine may take twice as long. */
  readonly age: number;
}

/**
 * What has become of an entry: its place; `"unknown"` if it has become a hole, or its place is not kept any more;
 * `"refused"` if the engine does not take it, or one before it, so that it was not appended now. A retry is refused as a whole.
 */
export type Appended = LogPosition | "unknown" | "refused";

/** The end of the log of a channel. */
export interface LogTail {
  readonly epoch: string;
  /** The `at` of the last entry. */
  readonly head: number;
  /**
   * A place behind which nothing is missing: the `at` of the last entry that was trimmed, or a later one that an engine is
   * sure of; 0 if none was trimmed.
   */
  readonly floor: number;
  /** Entries that follow each other, the oldest first. */
  readonly records: readonly LogRecord[];
}

/**
 * The logs of an engine, one for each channel. The log is the order: appending and handing over to all subscribers is one
 * act of the engine, and the subscribers of a channel can tell by {@link LogRecord.previous} that they have missed nothing.
 *
 * A log begins with its first entry. It ends when it was silent for its `age`, was forgotten, or when the engine may have
 * lost some of it; what is appended from then on has a new epoch, and an epoch that was left never comes back.
 *
 * An engine that keeps no logs, because of its settings or its permissions, refuses what is appended, and the other promises
 * reject with an error that says why.
 */
export interface BackplaneLog {
  /**
   * Appends entries to the log of a channel, and hands each of them to {@link BackplaneHandlers.recorded} of all nodes that
   * have subscribed to the channel, this one included. The hub waits for the promise before it appends to the same channel
   * again, and does not change the bytes afterwards.
   *
   * @param retry - given if the entries may have been appended before, with what was the last place in the log, as far as the
   *   hub knew, when it first tried. An entry is not appended twice: a kept entry of the same origin with this number or a
   *   higher one shows that it was. If so much was trimmed since that nobody can tell, a hole is appended in its stead.
   * @returns a promise of what has become of each entry. It rejects if nobody knows which of them were appended, because of
   *   an outage, which {@link BackplaneHandlers.down} has told before, or because the engine does not answer.
   */
  append(
    channel: string,
    entries: readonly LogEntry[],
    limits: LogLimits,
    retry?: LogPosition,
  ): Promise<readonly Appended[]>;

  /**
   * Reads the log of a channel: the first entries behind a position, or the last ones of the log if it is of another epoch,
   * or does not have everything behind the position any more.
   *
   * @param most - the most entries.
   * @returns a promise of the entries; of `undefined` if the channel has no log. It rejects as that of {@link append}.
   */
  read(channel: string, after: LogPosition, most: number): Promise<LogTail | undefined>;

  /**
   * Returns a promise of the place of the last entry of each channel; `undefined` for one without a log. It rejects as that
   * of {@link append}.
   */
  heads(channels: readonly string[]): Promise<readonly (LogPosition | undefined)[]>;

  /** Forgets the log of a channel. The promise rejects as that of {@link append}. */
  forget(channel: string): Promise<void>;
}

/** Functions of the hub that its backplane calls. */
export interface BackplaneHandlers {
  /**
   * Hands over an envelope from a channel that is subscribed to. Envelopes of one publisher come in the order in which
   * it published them to that channel. The bytes belong to the hub from now on. The backplane may or may not hand over
   * what this node published itself.
   */
  message(channel: string, envelope: Uint8Array): void;

  /**
   * Hands over an entry of the log of a channel that is subscribed to, in the order of the log. The bytes belong to the hub
   * from now on. Entries may be missing, and come only from {@link BackplaneLog.read}; one that comes behind its successor is
   * taken for missing, which costs a read. A hub that keeps no records has no such function.
   */
  recorded?(channel: string, record: LogRecord): void;

  /**
   * Tells that the engine is connected, for the first time or again after {@link down}, and that all subscriptions made
   * before this call are in place on it, but for those that it refuses.
   *
   * @param maxBytes - the size of the largest envelope that the engine takes, in bytes. Default: no limit.
   */
  up(maxBytes?: number): void;

  /**
   * Tells that the engine refuses a subscription, because of its permissions or limits, so that nothing arrives from the
   * channel: once for each connection. The backplane asks again with the next connection. A promise of
   * {@link Backplane.subscribe} that is pending rejects after this call.
   */
  refused(channel: string, error: unknown): void;

  /**
   * Tells that the engine is not connected: once for each outage, and once if it cannot be reached at the start. The
   * backplane goes on trying to connect by itself, and calls {@link up} when it has succeeded.
   */
  down(error: unknown): void;
}

/**
 * A backplane carries envelopes from this node to the other nodes of a cluster. It is the seam between the hub and an
 * engine such as Redis or NATS, and knows no rooms, no packets and no sockets: channels are strings of any characters,
 * envelopes are bytes.
 *
 * Delivery is at most once, but for what is in a log: an envelope that is published while the engine is not connected is lost, and no envelope is
 * ever delivered twice.
 */
export interface Backplane {
  /**
   * Whether the envelopes of one node arrive in the order of its calls across all channels. Otherwise the order holds
   * for each channel alone, as in an engine that spreads its channels over several servers.
   */
  readonly ordered: boolean;

  /** The logs of the engine; absent if it cannot keep any. */
  readonly log?: BackplaneLog;

  /**
   * Begins to connect, and returns at once. The hub calls this once, before anything else. Faults of the engine are not
   * thrown; they are reported with {@link BackplaneHandlers.down}.
   */
  start(handlers: BackplaneHandlers): void;

  /**
   * Sends an envelope to every node that has subscribed to the channel. The hub does not change the bytes afterwards.
   *
   * @returns a promise that resolves when the engine has taken the envelope, however many nodes there are. It rejects
   *   when the envelope is lost, because the engine refuses it, is not connected, or was disconnected before it
   *   confirmed. The backplane does not send the envelope again. Until the promise has settled, the hub keeps back what
   *   it sends next, for 5 milliseconds at most, and then publishes it together.
   */
  publish(channel: string, envelope: Uint8Array): Promise<void>;

  /**
   * Subscribes to a channel. Subscribing twice has the effect of subscribing once. The subscription survives outages,
   * and lasts until {@link unsubscribe}.
   *
   * @returns a promise that resolves when everything that is published from then on arrives; during an outage, when
   *   that is over. It rejects only when the backplane is closed, the channel is unsubscribed, or the engine refuses the
   *   subscription, before that.
   */
  subscribe(channel: string): Promise<void>;

  /** Unsubscribes from a channel. Does nothing for a channel that is not subscribed to. */
  unsubscribe(channel: string): void;

  /**
   * Asks the engine which of these channels any node has subscribed to. A subscription counts from when {@link subscribe} has
   * resolved on its node until a moment after {@link unsubscribe}. Those of this node may or may not count. Without this
   * function, the hub asks the other nodes.
   *
   * @param channels - at most 1,000.
   * @returns a promise of the answer to each channel; of `undefined` if this engine cannot tell, because of its settings or
   *   permissions, so that the hub asks the other nodes. It rejects when the engine is not connected, or was disconnected
   *   before it answered.
   */
  interested?(channels: readonly string[]): Promise<readonly boolean[] | undefined>;

  /**
   * Ends everything that the backplane has begun, after all envelopes published before have been handed to the engine.
   * The backplane waits a few seconds at most for an engine that does not answer. A connection that belongs to the
   * application stays open. The promise never rejects.
   */
  close(): Promise<void>;
}
