import type { Traffic } from "../cluster/traffic.ts";
import type { HistoryStatistics } from "../history/statistics.ts";
import type { PresenceStatistics } from "../presence/presence.ts";
import type { Counters, DropReason } from "../counters.ts";

/** The counts of a hub since it was created, and the present numbers where the comment says "now". */
export interface HubStatistics extends Readonly<Omit<Counters, "drops">> {
  /** Sockets that are connected now. */
  readonly connections: number;
  /** Library clients that are connected now but not let in yet. */
  readonly newcomers: number;
  /** Connections that have ended, but whose descriptors are not free yet: they count in the limits of connections. */
  readonly closing: number;
  /** Rooms that have members now. */
  readonly rooms: number;
  /** Bytes that wait now, in the hub and in the transport, for all sockets. */
  readonly pendingBytes: number;
  /** Messages that asynchronous handlers are at work on now, also of sockets that have ended. */
  readonly handling: number;
  /** The memory that the data of these messages takes, in bytes. */
  readonly handlingBytes: number;
  /** The most that `handlingBytes` has been. */
  readonly peakHandlingBytes: number;
  /** Bytes of messages of all clients that wait now to be handled. */
  readonly waitingBytes: number;
  /** Messages that sockets which stayed connected did not get, by the reason. */
  readonly drops: Readonly<Record<DropReason, number>>;
  /** The traffic between this node and the others; absent without a backplane. */
  readonly cluster?: Readonly<Traffic>;
  /** The records of rooms; absent without the option `history`. */
  readonly history?: HistoryStatistics;
  /** Who is in which room; absent without the option `presence`. */
  readonly presence?: PresenceStatistics;
}
