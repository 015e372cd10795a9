/** The messages between a node and the others since its hub was created. */
export interface Traffic {
  /**
   * Messages for other nodes. A message holds the envelopes that are sent to one channel in a row while the engine is
   * busy.
   */
  published: number;
  /** Bytes of `published`, as they were handed to the engine. */
  publishedBytes: number;
  /** Envelopes that the engine did not take. A message holds one or several of them. */
  lost: number;
  /** Subscriptions that the engine refused: rooms and users of which this node does not hear what other nodes send. */
  refused: number;
  /** Messages that came in. */
  received: number;
  /** Bytes of `received`, as the engine handed them over. */
  receivedBytes: number;
  /** Messages of `received` that this node had sent itself. */
  echoed: number;
  /** Bytes of `echoed`. */
  echoedBytes: number;
  /** Messages of `received` for rooms or users that have no members on this node any more. */
  unneeded: number;
  /** Bytes of `unneeded`. */
  unneededBytes: number;
}

/** Creates figures of a node that has exchanged nothing yet. */
export function noTraffic(): Traffic {
  return {
    published: 0,
    publishedBytes: 0,
    lost: 0,
    refused: 0,
    received: 0,
    receivedBytes: 0,
    echoed: 0,
    echoedBytes: 0,
    unneeded: 0,
    unneededBytes: 0,
  };
}
