import type { Encoding } from "../delivery/codecs.ts";
import type { OutgoingFrame } from "../delivery/outgoing-frame.ts";
import type { Overload } from "../delivery/overload.ts";
import type { Audience } from "./audience.ts";

/** A place in the log of a room. */
export interface FeedPosition {
  /** Names the log among all that the room ever has. */
  readonly epoch: string;
  readonly at: number;
}

/** How much is kept of the log of a room: the number of events, and the time without one, in milliseconds. */
export interface FeedLimits {
  readonly size: number;
  readonly age: number;
}

/** An entry of the log of a room. */
export interface LoggedEvent {
  readonly at: number;
  /** The time when the event was sent, in milliseconds since 1970. */
  readonly time: number;
  /** The members that it is not for, and how it goes to the others. */
  readonly exceptRooms: readonly string[];
  readonly exceptSockets: readonly string[];
  readonly uncompressed: boolean;
  readonly overload: Overload | undefined;
  /** The event in all codecs in their order; `undefined` for a hole, or where this node cannot read it. */
  readonly frames: readonly OutgoingFrame[] | undefined;
}

/** The end of the log of a room. */
export interface RoomTail {
  readonly epoch: string;
  readonly head: number;
  /** The position behind which there is every event. */
  readonly floor: number;
  readonly events: readonly LoggedEvent[];
}

/** Why something of a log is missing: it has another epoch now, or what follows was trimmed. */
export type LogGap = "epoch" | "trimmed";

/**
 * Whether an entry is `"new"`. `"before"`: it was told in an epoch that has ended, so that whoever was there then has it.
 * `"again"`: this log has had it before, so that everybody has it, or gets it from there.
 */
export type Novelty = "new" | "before" | "again";

/** Hears the logs of rooms that are followed. */
export interface RoomFeedListener {
  /**
   * Called with the end of a log that goes on from there. Nothing of that was told before, or may be told as new.
   *
   * @param tail - `undefined` if the room has no log.
   * @param gap - given if the room was followed before, and something may be missing between then and now.
   */
  begun(room: string, tail: RoomTail | undefined, gap?: LogGap): void;
  /** Called with the next entry. */
  recorded(room: string, event: LoggedEvent, novelty: Novelty): void;
}

/** The logs of rooms that the engine of a backplane keeps. */
export interface RoomFeed {
  /** Whether the engine can be reached. */
  readonly isConnected: boolean;

  /** The number of reads of logs, and of those among them that were for something missing. */
  readonly reads: number;
  readonly repairs: number;

  /**
   * Follows the log of a room.
   *
   * @param size - the number of events that are kept.
   */
  follow(room: string, size: number): void;
  unfollow(room: string): void;

  /**
   * Calls back when it is known what follows a position in a room that is followed: at once, if this node knows the log that
   * far.
   *
   * @param since - `undefined` for the end of the log.
   * @returns a function that calls it off.
   */
  whenKnown(room: string, since: FeedPosition | undefined, known: () => void): () => void;

  /**
   * Appends an event.
   *
   * @param encoding - the event in all codecs; `undefined` for a hole, which stands for events that nobody can know.
   * @returns a promise of its place, which resolves when the members of this node were sent it. It rejects with
   *   `ERR_HUB_BACKPLANE` if it was not recorded, or nobody can say; with `ERR_HUB_CLOSED`.
   */
  append(room: string, audience: Audience, encoding: Encoding | undefined, limits: FeedLimits): Promise<FeedPosition>;

  /**
   * Does something when what was sent to these rooms before has reached the members of this node, and before anything that is
   * sent to them afterwards: at once if nothing is on its way, and in a second at the latest.
   *
   * @param rooms - default: all.
   * @param isBehindAll - `false` if it need not wait for what was sent, but only for what else is done in its place.
   */
  inLine(rooms: readonly string[] | undefined, isBehindAll: boolean, act: () => void): void;

  /** Forgets the log of a room, on all nodes. The promise rejects with `ERR_HUB_BACKPLANE`. */
  forget(room: string): Promise<void>;
}
