/** The state of a client that outlives its connections. */
export interface Patience {
  /**
   * The factor by which the client waits longer for a sign of life. While a large message arrives over a slow network,
   * no other message does, and its parts are not seen: a client that gave up after the same silence each time would
   * never get it.
   */
  patience: number;
}
