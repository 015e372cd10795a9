import type { Refusal } from "../door/refusal.ts";
import type { HubTypes } from "../event-types.ts";
import type { Close } from "../protocol/close-codes.ts";
import type { ErrorSource } from "../report.ts";
import type { Socket } from "./socket.ts";

/** The close code and the reason with which a socket has ended. `docs/PROTOCOL.md` section 7 lists the codes. */
export type Disconnection = Close;

/** The circumstances of a reported error. */
export interface ErrorContext<T extends HubTypes = HubTypes> {
  /**
   * The part that failed: a handler of `handle`, `on`, `onNode` or `handleNode`, middleware around a handler, a listener of
   * a hub event, the option of that name (for `limits`, a `join` of a target), the codec at work for the hub itself, the transport, the backplane, or the hub (`internal`).
   */
  readonly source: ErrorSource;
  /** The event that was being handled. */
  readonly event?: string;
  /** The socket that the event came from or is about. */
  readonly socket?: Socket<T>;
}

/** A change of the rooms of this node. */
export type RoomChange<T extends HubTypes = HubTypes> =
  | {
      /** The first socket has joined the room, or the last one has left it. */
      readonly type: "created" | "deleted";
      readonly room: string;
      readonly socket?: never;
    }
  | {
      readonly type: "joined" | "left";
      readonly room: string;
      readonly socket: Socket<T>;
    };

/** The events of a hub and what their listeners get. */
export interface HubEvents<T extends HubTypes = HubTypes> {
  /** A client is connected: once for each socket, before anything that it sends. */
  connection: [socket: Socket<T>];
  /**
   * A socket has ended: once for each `connection`, never from inside another handler. `socket.rooms` can still be
   * read.
   */
  disconnection: [socket: Socket<T>, disconnection: Disconnection];
  /**
   * A socket of this node has joined a room or left it, and the room was created before or is deleted then. Told in a
   * microtask after each change, in the order of the changes, and never from inside another handler: `hub.rooms` may
   * have changed again. At its end a socket leaves its rooms, before `disconnection`.
   */
  room: [change: RoomChange<T>];
  /**
   * A message that is no packet: binary, unless the codec says otherwise. Without a listener the client is told
   * `unexpected-message`.
   */
  message: [socket: Socket<T>, message: string | Uint8Array];
  /** A client was not let in. Without a listener, a page that was refused for its origin becomes a process warning. */
  refusal: [refusal: Refusal];
  /** Something failed that has no caller to tell. Without a listener it becomes a process warning. */
  error: [error: unknown, context: ErrorContext<T>];
}

export const HUB_EVENTS: readonly (keyof HubEvents)[] = [
  "connection",
  "disconnection",
  "room",
  "message",
  "refusal",
  "error",
];
