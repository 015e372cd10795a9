import type { Member } from "./member.ts";

/** Called when a member has entered a room, or with `false` when it was taken out on its way. */
export type Entered = (isIn: boolean) => void;

/** The rooms of which the hub keeps a record: their members are told their positions, and get what they missed. */
export interface RecordedRooms {
  /** Returns whether a room is recorded. */
  has(room: string): boolean;

  /** Returns the number of rooms that a member is on its way into. */
  countEntering(member: Member): number;

  /**
   * Puts a member into a recorded room, after it was sent what it has missed.
   *
   * @param since - the position that the client has given, whatever it is.
   * @param entered - called once the member is in the room: at once, if nothing has to wait for the client to read.
   */
  enter(member: Member, room: string, since: unknown, entered?: Entered): void;

  /**
   * Takes a member out of a recorded room, or off its way into it.
   *
   * @param isTold - whether the client is told.
   */
  leave(member: Member, room: string, isTold: boolean): void;

  /**
   * Does something in its place among what is sent to these rooms: when what was sent before has reached the members of this
   * node. With a backplane that may take a second.
   *
   * @param rooms - default: all.
   * @param isBehindAll - `false` if it need not wait for what is sent, but only for what else is done in its place.
   */
  inLine(rooms: readonly string[] | undefined, isBehindAll: boolean, act: () => void): void;

  /** Forgets a member that can be sent nothing any more. */
  ended(member: Member): void;
}
