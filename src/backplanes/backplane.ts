/** Functions of the hub that its backplane calls. */
export interface BackplaneHandlers {
  /**
   * Hands over an envelope from a channel that is subscribed to. Envelopes of one publisher come in the order in which
   * it published them to that channel. The bytes belong to the hub from now on. The backplane may or may not hand over
   * what this node published itself.
   */
  message(channel: string, envelope: Uint8Array): void;

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
 * Delivery is at most once: an envelope that is published while the engine is not connected is lost, and no envelope is
 * ever delivered twice.
 */
export interface Backplane {
  /**
   * Whether the envelopes of one node arrive in the order of its calls across all channels. Otherwise the order holds
   * for each channel alone, as in an engine that spreads its channels over several servers.
   */
  readonly ordered: boolean;

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
   * Ends everything that the backplane has begun, after all envelopes published before have been handed to the engine.
   * The backplane waits a few seconds at most for an engine that does not answer. A connection that belongs to the
   * application stays open. The promise never rejects.
   */
  close(): Promise<void>;
}
