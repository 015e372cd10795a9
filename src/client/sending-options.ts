/** The policy for a message for which the queue has no room while the client is offline. */
export type QueuePolicy = "reject" | "drop-oldest";

/** Options of the queue for messages while the client is not connected. */
export interface QueueOptions {
  /**
   * The most bytes that the queue holds: the length of the encoded messages, and 64 for each message. With 0 nothing is
   * queued.
   *
   * Default: 1 MiB.
   */
  readonly maxBytes?: number | undefined;
  /**
   * `"reject"` refuses the new message with `ERR_CLIENT_QUEUE_FULL`: `emit` throws, `request` rejects. `"drop-oldest"`
   * makes room: a dropped request rejects with `ERR_CLIENT_DROPPED`, and a dropped event is reported in `hub:error`.
   *
   * Default: `"reject"`.
   */
  readonly policy?: QueuePolicy | undefined;
}

/** {@link QueueOptions} with the defaults filled in. */
export interface QueueLimits {
  readonly maxBytes: number;
  readonly policy: QueuePolicy;
}

/** The options of a request. */
export interface RequestOptions {
  /** The time to wait for the reply, reconnections included, in milliseconds. Default: 10,000. */
  readonly timeout?: number | undefined;
  /** A signal that gives up the request when it is aborted. The request then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether the client may send the request again if the connection breaks before the reply arrives. The server still
   * handles the request once, as long as it remembers the request; with several nodes, each of them does. Default:
   * `false`; the request then rejects with `ERR_CLIENT_DISCONNECTED`.
   */
  readonly idempotent?: boolean | undefined;
}
