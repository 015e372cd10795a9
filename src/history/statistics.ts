import type { GapReason } from "../protocol/packet.ts";

/** The counts of the records of rooms since the hub was created. */
export interface HistoryCounters {
  /** Events that were recorded. */
  recorded: number;
  /** Bytes of these events, in all codecs. */
  recordedBytes: number;
  /** Joins with a position behind which nothing was missing. */
  recoveries: number;
  /** Events that were sent to a client again. */
  replayed: number;
  /** Gaps that clients were told of, by the reason. */
  readonly gaps: Record<GapReason, number>;
}

/** The counts of the records, and the present numbers where the comment says "now". */
export interface HistoryStatistics extends Readonly<Omit<HistoryCounters, "gaps">> {
  readonly gaps: Readonly<Record<GapReason, number>>;
  /** Reads of the logs that the engine keeps; 0 without a backplane, as the next. */
  readonly reads: number;
  /** Those of them that were for what might be missing. */
  readonly repairs: number;
  /** Rooms that have a record now. */
  readonly rooms: number;
  /** Events in these records now. */
  readonly entries: number;
  /** Bytes of memory that these events take now. */
  readonly bytes: number;
  /** Joins that wait now for their client to get what it missed, or for the engine. */
  readonly waiting: number;
}

/** Creates counters that have counted nothing yet. */
export function zeroHistoryCounters(): HistoryCounters {
  const gaps = { trimmed: 0, epoch: 0, overrun: 0, hole: 0, unavailable: 0 };
  return { recorded: 0, recordedBytes: 0, recoveries: 0, replayed: 0, gaps };
}
