import type { MemoryWebSocket } from "../../transports/memory/web-socket.ts";
import type { Position, PresenceNotice, RecordNotice } from "../../protocol/packet.ts";

/** An event that a client has heard. */
export interface HeardEvent {
  readonly at: number;
  readonly data: unknown;
  readonly room: string;
}

/** What a client hears of records, in its order. */
export interface RecordListener {
  /** A position begins; `before` is the one that the client had, if any. */
  noticed(notice: RecordNotice, before: Position | undefined): void;
  /** An event of a recorded room came, when the client was at `before`. */
  heard(event: HeardEvent, before: Position | undefined): void;
  /** The client has another connection. */
  connected(): void;
  /** The client tells the server a position in a room. */
  claimed(room: string): void;
  /** The client is not in the room any more, and has no position there. */
  left(room: string): void;
  /** The client is wrong in itself. */
  failed(what: string): void;
}

/** What a client hears, in its order. */
export interface ClientListener extends RecordListener {
  /** The client is told who is present. */
  presence(notice: PresenceNotice): void;
}

/** Connects a client to any node: with the codec's subprotocol or, without one, as a plain client. */
export type Dial = (url: string, protocols: readonly string[]) => MemoryWebSocket;

/** Where a client is in its dealings with a room. */
export type ClientState = "out" | "asking" | "in" | "leaving";

/** A client of the simulation, that comes back by itself whenever its connection has ended. */
export interface Client {
  readonly isConnected: boolean;
  stateOf(room: string): ClientState;
  positionOf(room: string): Position | undefined;
  start(): void;
  join(room: string, since?: unknown): void;
  leave(room: string): void;
  /** Breaks the connection. */
  cut(): void;
  /** Hears nothing of its connection any more, and does not know that; nor does the server. */
  abandon(): void;
  /** Is loaded again, with its positions from storage. */
  reload(): void;
  pause(): void;
  resume(): void;
}
