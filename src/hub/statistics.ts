import type { Traffic } from "../cluster/traffic.ts";
import type { DropReason } from "../delivery/overload.ts";

/** What a hub has done since it was made, and, where it says so, what there is now. */
export interface HubStatistics {
  /** Sockets that are connected now. */
  readonly connections: number;
  /** Library clients that are connected now but not let in yet. */
  readonly newcomers: number;
  /** Rooms that have members now. */
  readonly rooms: number;
  /** Messages that sockets sent. */
  readonly messagesIn: number;
  /** Messages that were handed to the transport, once for each recipient. */
  readonly messagesOut: number;
  /** Of `messagesIn`, their payload. */
  readonly bytesIn: number;
  /** Of `messagesOut`, with the headers of their frames, before compression. */
  readonly bytesOut: number;
  /** How often the transport was handed something for one recipient. */
  readonly writes: number;
  /** What waits now, in the hub and in the transport, for all sockets. */
  readonly pendingBytes: number;
  /** Messages that sockets which stayed connected did not get, by the reason. */
  readonly drops: Readonly<Record<DropReason, number>>;
  /** Clients that were not let in. */
  readonly refusals: number;
  /** Sockets that were closed because they gave no sign of life. */
  readonly heartbeatLosses: number;
  /** Sockets that were closed because they read too slowly. */
  readonly slowConsumers: number;
  /** Messages that were refused because the client was at fault. */
  readonly violations: number;
  /** Failures of handlers, of middleware and of `joinable`. */
  readonly handlerErrors: number;
  /** What this node has exchanged with others; absent without a backplane. */
  readonly cluster?: Readonly<Traffic>;
}

/** What is counted as it happens: plain numbers, so that counting costs nothing. */
export type Counters = {
  -readonly [
    K in Exclude<keyof HubStatistics, "cluster" | "connections" | "newcomers" | "rooms" | "pendingBytes">
  ]: K extends "drops" ? Record<DropReason, number> : number;
};

/** Counters at the start. */
export function zero(): Counters {
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
  };
}
