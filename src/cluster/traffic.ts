/** What a node has exchanged with the others since its hub was made. */
export interface Traffic {
  /** Envelopes for other nodes. */
  published: number;
  /** Of `published`, as they were handed to the engine. */
  publishedBytes: number;
  /** Envelopes for other nodes that the engine did not take. */
  lost: number;
  /** Envelopes that came in. */
  received: number;
  /** Of `received`, as the engine handed them over. */
  receivedBytes: number;
  /** Of `received`, those that were for nobody here: the node's own that came back, and those of rooms that became empty. */
  unneeded: number;
  /** Of `receivedBytes`, those of messages in which nothing was for anybody here. */
  unneededBytes: number;
}

export function noTraffic(): Traffic {
  return {
    published: 0,
    publishedBytes: 0,
    lost: 0,
    received: 0,
    receivedBytes: 0,
    unneeded: 0,
    unneededBytes: 0,
  };
}
