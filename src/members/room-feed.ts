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

/**
 * What a node had sent to rooms when it did something else, such as taking members out of them: the number of its last
 * event in each of those of which some were on their way.
 */
export interface Marks {
  /** The id of the node. */
  readonly origin: string;
  readonly numbers: ReadonlyMap<string, number>;
}

/** An event of a node, and all that it sent before, to whatever room. */
export interface Mark {
  /** The id of the node. */
  readonly origin: string;
  readonly number: number;
}

/** An entry of the log of a room. */
export interface LoggedEvent extends Mark {
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
  /** Called when the engine does not let this node hear a room any more: what follows is not known before {@link begun}. */
  lost(room: string): void;
}

/** The logs of rooms that the engine of a backplane keeps. */
export interface RoomFeed {
  /** Whether the engine cannot be reached any more, or could not at the first attempt. */
  readonly isCut: boolean;

  /** The last event that this node has sent to any room. */
  readonly mark: Mark;

  /** Returns the number of the last event that this node has sent to a room, if it is on its way to the members here. */
  pendingOf(room: string): number | undefined;

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

  /** Resolves when what this node has sent is recorded, and has reached its members; `undefined` if everything has. */
  settled(): Promise<unknown> | undefined;

  /** Returns the number of the last event of a node that this one was handed over in a room. */
  heardOf(room: string, origin: string): number;

  /**
   * Forgets the log of a room on all nodes, behind what was sent there before. The promise rejects with `ERR_HUB_BACKPLANE`,
   * `ERR_HUB_CLOSED`.
   */
  forget(room: string, limits: FeedLimits): Promise<void>;
}
