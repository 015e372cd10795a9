import type { EventData, EventName, HubTypes, ServerEvents } from "../event-types.ts";
import type { Dropped } from "../protocol/packet.ts";
import type { ClientError } from "./errors.ts";

/**
 * `connecting`: on the way, the server's answer included. `open`: what is sent goes out. `waiting`: until the next attempt.
 * `closed`: for good.
 */
export type ClientState = "connecting" | "open" | "waiting" | "closed";

/** How the state has changed. */
export interface StateChange {
  readonly state: ClientState;
  readonly previous: ClientState;
  /** Of `waiting` and `closed`: how the connection ended. `docs/PROTOCOL.md` section 7 lists the codes. */
  readonly code?: number;
  readonly reason?: string;
  /** Of `waiting`: until the next attempt, in milliseconds. */
  readonly delay?: number;
}

/** The client's own events. Applications have none that begin with `hub:`. */
export interface ClientNotices {
  "hub:state": StateChange;
  /**
   * What has no caller to tell: something that was sent and that the server refused (`ERR_CLIENT_REMOTE`), a message that was
   * dropped (`ERR_CLIENT_DROPPED`), a listener or handler that failed (`ERR_CLIENT_LISTENER`), credentials that could not be
   * had (`ERR_CLIENT_AUTH`), something that came and does not fit the contract (`ERR_CLIENT_CONTRACT`), a room that could not
   * be joined again.
   */
  "hub:error": ClientError;
  /** The server left messages out here, because this client reads too slowly. */
  "hub:dropped": Dropped;
  /** A message that is no packet: text or bytes. */
  "hub:message": string | Uint8Array;
}

/** The names of the events that a client can listen to. */
export type HeardName<T extends HubTypes> = EventName<ServerEvents<T>> | keyof ClientNotices;

/** What such an event carries. */
export type HeardData<T extends HubTypes, E> = E extends keyof ClientNotices
  ? ClientNotices[E]
  : E extends keyof ServerEvents<T>
    ? EventData<ServerEvents<T>[E]>
    : never;

/** What a listener is told beside the data. */
export interface EventContext {
  readonly event: string;
  /** The room, when the server sent the event to exactly one. */
  readonly room: string | undefined;
}

/** An event of `client.events()`. */
export type HeardEvent<T extends HubTypes> = {
  [E in EventName<ServerEvents<T>>]: {
    readonly event: E;
    readonly data: EventData<ServerEvents<T>[E]>;
    readonly room: string | undefined;
  };
}[EventName<ServerEvents<T>>];
