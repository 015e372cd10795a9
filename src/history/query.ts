import { isCount, isObject } from "../checks/option-rules.ts";
import { HubError } from "../errors.ts";
import type { Position } from "../protocol/packet.ts";

/** An event of a record, as the application gets it. */
export interface RecordedEvent {
  /** The place of the event in the record. */
  readonly at: number;
  /** The time when the event was sent, in milliseconds since 1970. */
  readonly time: number;
  readonly event: string;
  readonly data: unknown;
}

/** The part of a record that `hub.history` looks for. */
export interface HistoryQuery {
  /** The position behind which events are meant: one that a client has given, or that `hub.history` has returned. */
  readonly since?: unknown;
  /** Only so many of the last events. */
  readonly last?: number | undefined;
  /** The most events, the oldest first. */
  readonly limit?: number | undefined;
}

/** A part of a record. As a {@link Position} it says where the last of the events is, so that a client can join from there. */
export interface HistoryResult extends Position {
  readonly events: readonly RecordedEvent[];
  /** Whether the record still has everything behind the position that was asked for or, without one, from its beginning. */
  readonly complete: boolean;
}

/**
 * Checks a query of the application's.
 *
 * @throws {HubError} `ERR_HUB_ARGUMENT`.
 */
export function checkQuery(query: unknown): void {
  const isValid =
    isObject(query) &&
    Object.entries(query).every(([name, value]) => {
      return name === "since" || ((name === "last" || name === "limit") && (value === undefined || isCount(value)));
    });
  if (isValid) return;
  throw new HubError(
    "ERR_HUB_ARGUMENT",
    "history() takes { since, last, limit }: a position, and whole numbers of events from 1.",
  );
}
