/**
 * The reason why a message was not sent to one of its recipients, which stays connected.
 *
 * - `volatile`: the message was volatile, and the socket behind.
 * - `overload`: more than the limit would have waited for the socket.
 * - `superseded`: a later message with the same key took its place.
 */
export type DropReason = "volatile" | "overload" | "superseded";

/** The counters of a hub, plain numbers so that counting costs nothing. */
export interface Counters {
  /** Messages that sockets sent. */
  messagesIn: number;
  /** Messages that were handed to the transport, once for each recipient. */
  messagesOut: number;
  /** Payload bytes of `messagesIn`. */
  bytesIn: number;
  /** Bytes of `messagesOut`, with the headers of their frames, before compression. */
  bytesOut: number;
  /** Number of writes: calls that handed the transport frames for one recipient. */
  writes: number;
  /** Messages that sockets which stayed connected did not get, by the reason. */
  readonly drops: Record<DropReason, number>;
  /** Clients that were not let in. */
  refusals: number;
  /** Sockets that were closed because they gave no sign of life. */
  heartbeatLosses: number;
  /** Sockets that were closed because they read too slowly. */
  slowConsumers: number;
  /** Messages that were refused because the client was at fault. */
  violations: number;
  /** Failures of handlers, of middleware and of `joinable`. */
  handlerErrors: number;
  /** Number of times that messages of a client had to wait because the client had used up its rate. */
  pauses: number;
  /** Answers to requests with a key that were forgotten before their time, because they would have taken too much. */
  answersForgotten: number;
}

/** Creates counters that have counted nothing yet. */
export function zeroCounters(): Counters {
  return {
    messagesIn: 0,
    messagesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    writes: 0,
    drops: { volatile: 0, overload: 0, superseded: 0 },
    refusals: 0,
    heartbeatLosses: 0,
    slowConsumers: 0,
    violations: 0,
    handlerErrors: 0,
    pauses: 0,
    answersForgotten: 0,
  };
}
