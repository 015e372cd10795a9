/** The decision on a request that a client may repeat. */
export interface Receipt {
  /** Whether the request has to be handled. */
  readonly isNew: boolean;
  /** The reply that was given before. */
  readonly reply?: string | Uint8Array | undefined;
  /** Whether the request was handled before and its reply is not kept. */
  readonly isGone?: true;
  /** Whether the request is being handled and too many wait for the reply, so that this one will not get it. */
  readonly isExcessive?: true;
  /** The decision when another node, which is handling the request, has finished with it or is gone. */
  readonly later?: Promise<Receipt>;
}

/** A request that a client may repeat, as nodes name it to each other. */
export interface Repeatable {
  /** What tells it from all other requests. */
  readonly identity: string;
  /** The key of the user or address in whose share its reply is kept. */
  readonly owner: string;
}

/** What a node knows of the requests of its clients, for the other nodes. */
export interface RepeatKeeper {
  /**
   * Takes a question of another node: a client has repeated a request there that it sent here first.
   *
   * @param answer - called once with the decision: at once, or when whoever handles the request has finished. The node
   *   to which an answer was lost asks again.
   */
  ask(repeatable: Repeatable, node: string, answer: (receipt: Receipt) => void): void;
  /** Notes that another node has handled such a request. A reply that it did not keep is `undefined`. */
  handled(repeatable: Repeatable, node: string, reply: string | Uint8Array | undefined): void;
  /**
   * Takes note of the nodes that have given a sign of life since the last call. A node that goes on giving them, and has
   * not said for a whole lease that it handles a request, has handled it, and its report was lost.
   */
  heard(nodes: ReadonlySet<string>): void;
  /** Notes that another node is gone, with the requests that it was handling. */
  gone(node: string): void;
}

/** The other nodes, which may know of a request that was repeated here. */
export interface RepeatNodes {
  /** Returns whether the node that a socket's id names may be asked: it is this one, or is not known to be gone. */
  isThere(socket: string): boolean;
  /** Returns the other node that a socket's id names; `undefined` for this node, and for one that is known to be gone. */
  nodeOf(socket: string): string | undefined;
  /** Asks a node for its decision. Never rejects: where the node does not answer, the request is new. */
  claim(node: string, repeatable: Repeatable): Promise<Receipt>;
  /** Tells a node that a request is handled about which it was asked. */
  handled(node: string, repeatable: Repeatable, reply: string | Uint8Array | undefined): void;
}
