/** What a node has exchanged with the others since its hub was made. */
export interface Traffic {
  /** Messages for other nodes. One holds what is sent to one channel in a row while the engine is busy. */
  published: number;
  /** Of `published`, as they were handed to the engine. */
  publishedBytes: number;
  /** Events and the like, of which a message holds one or several, that the engine did not take. */
  lost: number;
  /** Messages that came in. */
  received: number;
  /** Of `received`, as the engine handed them over. */
  receivedBytes: number;
  /** Of `received`, this node's own that came back. */
  echoed: number;
  /** Of `receivedBytes`, those of `echoed`. */
  echoedBytes: number;
  /** Of `received`, those for rooms or users of whom nobody is here any more. */
  unneeded: number;
  /** Of `receivedBytes`, those of `unneeded`. */
  unneededBytes: number;
}

export function noTraffic(): Traffic {
  return {
    published: 0,
    publishedBytes: 0,
    lost: 0,
    received: 0,
    receivedBytes: 0,
    echoed: 0,
    echoedBytes: 0,
    unneeded: 0,
    unneededBytes: 0,
  };
}
