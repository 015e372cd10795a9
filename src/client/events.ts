import type { EventData, EventName, HubTypes, ServerEvents } from "../event-types.ts";
import type { Dropped, GapReason, Left, PresenceNotice } from "../protocol/packet.ts";
import type { ClientError } from "./errors.ts";

/**
 * The state of a client.
 *
 * - `connecting`: a connection is being made; this lasts until the server's welcome.
 * - `open`: the client sends messages at once.
 * - `waiting`: the client waits for its next attempt to connect.
 * - `closed`: the client stays away until it is opened.
 */
export type ClientState = "connecting" | "open" | "waiting" | "closed";

/** A change of the client's state. */
export interface StateChange {
  readonly state: ClientState;
  readonly previous: ClientState;
  /** The close code of the connection, for `waiting` and `closed`. `docs/PROTOCOL.md` section 7 lists the codes. */
  readonly code?: number;
  readonly reason?: string;
  /** The time until the next attempt, in milliseconds, for `waiting`. */
  readonly delay?: number;
}

/** The data of `hub:gap`. */
export interface Gap {
  readonly room: string;
  /** Why something may be missing. Later servers may have other reasons. */
  readonly reason: GapReason;
}

/** The client's own events. Events of applications cannot begin with `hub:`. */
export interface ClientNotices {
  /** The state of the client has changed. */
  "hub:state": StateChange;
  /**
   * An error that has no caller to throw to: the server refused something that was sent (`ERR_CLIENT_REMOTE`), a
   * message was dropped (`ERR_CLIENT_DROPPED`), a listener or handler failed (`ERR_CLIENT_LISTENER`), the credentials
   * could not be obtained (`ERR_CLIENT_AUTH`), something that arrived does not fit the contract
   * (`ERR_CLIENT_CONTRACT`), or a room could not be joined again.
   */
  "hub:error": ClientError;
  /** The server left out messages at this point, because this client reads too slowly. */
  "hub:dropped": Dropped;
  /**
   * Something may be missing in a recorded room before this point: load what the room shows anew. Listen here, or to this
   * event of one {@link Room}.
   */
  "hub:gap": Gap;
  /** The server has taken the client out of a recorded room: the client does not want to be in this room any more. */
  "hub:left": Left;
  /**
   * Who is present in a room, or what has changed. `presence` of `roomcast/client/presence` makes the client ask for it, and
   * keeps the list.
   */
  "hub:presence": PresenceNotice;
  /** A message that is not a packet, as text or bytes. */
  "hub:message": string | Uint8Array;
}

/** The client's own events that concern a room. */
export type RoomNotices = Pick<ClientNotices, "hub:gap" | "hub:left" | "hub:presence">;

/** The names of the events that a client can listen to. */
export type HeardName<T extends HubTypes> = EventName<ServerEvents<T>> | keyof ClientNotices;

/** The data of an event that a client can listen to. */
export type HeardData<T extends HubTypes, E> = E extends keyof ClientNotices
  ? ClientNotices[E]
  : E extends keyof ServerEvents<T>
    ? EventData<ServerEvents<T>[E]>
    : never;

/** The context that a listener gets beside the data. */
export interface EventContext {
  readonly event: string;
  /** The room, if the server sent the event to exactly one room. */
  readonly room: string | undefined;
  /**
   * Whether the client has missed the event and gets it now, while it joins a recorded room that it has asked for. What
   * happens now needs a sound, and this does not.
   */
  readonly past: boolean;
}

/** An event from `client.events()`. */
export type HeardEvent<T extends HubTypes> = {
  [E in EventName<ServerEvents<T>>]: {
    readonly event: E;
    readonly data: EventData<ServerEvents<T>[E]>;
    readonly room: string | undefined;
    /** Whether the client has missed the event and gets it now: see {@link EventContext.past}. */
    readonly past: boolean;
  };
}[EventName<ServerEvents<T>>];
