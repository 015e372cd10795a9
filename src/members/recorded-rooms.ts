import type { Member } from "./member.ts";
import type { Mark, Marks } from "./room-feed.ts";

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
   * @param mark - the last event that the node that puts the member there had sent: what it sends afterwards is for the
   *   member. Default: that of this node.
   * @param entered - called once the member is in the room: at once, if nothing has to wait for the client to read.
   */
  enter(member: Member, room: string, since: unknown, entered?: Entered, mark?: Mark): void;

  /**
   * Takes a member out of a recorded room, or off its way into it. It still gets what was sent there before.
   *
   * @param isTold - whether the client is told, behind that.
   * @param marks - what the node had sent that takes the member out. Default: that of this node.
   */
  leave(member: Member, room: string, isTold: boolean, marks?: Marks): void;

  /**
   * Takes a member out of the rooms for which events are on their way.
   *
   * @param marks - as for {@link leave}.
   * @returns a promise that resolves when it has got them, in a second at the latest; `undefined` if there are none.
   */
  depart(member: Member, marks?: Marks): Promise<void> | undefined;

  /** Resolves when the members that wait for the engine are in their rooms; `undefined` if none waits. */
  joined(): Promise<void> | undefined;

  /** Forgets a member that can be sent nothing any more. */
  ended(member: Member): void;
}
