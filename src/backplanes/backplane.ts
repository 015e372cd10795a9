/** What a backplane tells the hub that it was started for. */
export interface BackplaneHandlers {
  /**
   * An envelope came in on a channel that is subscribed to, in the order in which its publisher published to that channel.
   * The bytes belong to the hub from now on. What this node published itself may come back, or not.
   */
  message(channel: string, envelope: Uint8Array): void;

  /**
   * The engine is there, for the first time or again after {@link down}, and everything that was subscribed to before this call
   * is in place on it.
   */
  up(): void;

  /**
   * The engine is not there: once for each outage, and once if it cannot be reached at the start. The backplane goes on
   * trying by itself, and calls {@link up} when it has succeeded.
   */
  down(error: unknown): void;
}

/**
 * What carries envelopes from this node to the other nodes of a cluster: the seam to Redis, NATS and the like. It knows no
 * rooms, no packets and no sockets; channels are strings of any characters, and envelopes bytes.
 *
 * Delivery is at most once: what is published while the engine is away is lost, and nothing is ever delivered twice.
 */
export interface Backplane {
  /**
   * Whether what one node publishes arrives in the order of its calls on whichever channels. Otherwise that holds for each
   * channel alone, as in an engine that spreads its channels over several servers.
   */
  readonly ordered: boolean;

  /** Begins to connect, and returns at once. Called once, before everything else. Does not throw because of the engine. */
  start(handlers: BackplaneHandlers): void;

  /**
   * Sends an envelope to every node that has subscribed to the channel. The bytes are not changed afterwards.
   *
   * Resolves when the engine has taken it, however many nodes there are. Rejects when it is lost: the engine is away, or went
   * away before it said so. It is not sent again.
   */
  publish(channel: string, envelope: Uint8Array): Promise<void>;

  /**
   * Asks for what is published to a channel. Asking twice is asking once. It survives outages until {@link unsubscribe}.
   *
   * Resolves when everything that is published from now on arrives; while the engine is away, when it is back. Rejects only when
   * the backplane is closed, or the channel is unsubscribed, before that.
   */
  subscribe(channel: string): Promise<void>;

  /** Wants no more of a channel. One that is not subscribed to is ignored. */
  unsubscribe(channel: string): void;

  /**
   * Ends everything that the backplane has begun, after what was published before has been handed to the engine; waits for an
   * engine that does not answer no longer than a few seconds. A connection of the application's stays open. Never rejects.
   */
  close(): Promise<void>;
}
