import type { PeerName } from "../peers/peer.ts";

/**
 * A stream is what one source sends to one audience: messages numbered from 0, every one of which reaches the same
 * clients. The stamp of a message names its stream and its number.
 */
export interface Stream {
  readonly id: number;
  readonly rooms: readonly string[];
  /** Whoever is in one of these is left out. */
  readonly except: readonly string[];
  /** How many clients it reaches. */
  readonly members: number;
}

/** With what the process is started: the one argument, as JSON. */
export interface ServerOptions {
  readonly peer: PeerName;
  readonly compression: boolean;
  /** Bytes of every WebSocket message, whatever a peer puts around the body. */
  readonly size: number;
  /** See `Application`. */
  readonly recorded?: string;
}

/** What the coordinator asks of the server's process. It works on one load at a time. */
export type ServerCommand =
  | { readonly do: "broadcast"; readonly load: Load }
  /** The receivers have had so many deliveries of this load. */
  | { readonly do: "credit"; readonly deliveries: number }
  /** Begins a measurement that the coordinator, clients or autocannon drive. */
  | { readonly do: "begin"; readonly streams: readonly Stream[] }
  /** Ends it, and is answered with the figures. */
  | { readonly do: "end" }
  | { readonly do: "memory" };

/** What the server itself sends, for a time. */
export interface Load {
  /** Taken in turn, message by message. */
  readonly streams: readonly Stream[];
  readonly seconds: number;
  readonly pace: Saturating | OpenLoop;
  /** Clients that leave and join a room all the while; the streams' members do not count them. */
  readonly churn?: Churn;
}

/** As fast as it goes, but never more in flight than that. */
export interface Saturating {
  readonly kind: "saturating";
  /** Messages in a turn of the event loop. */
  readonly perTurn: number;
  /** At most so many deliveries on their way. */
  readonly inFlight: number;
}

/** Whatever happens, at a fixed rate. The stamps tell when a message was meant to leave. */
export interface OpenLoop {
  readonly kind: "open-loop";
  /** Messages a second. */
  readonly rate: number;
}

export interface Churn {
  readonly room: string;
  readonly clients: readonly number[];
  /** How many of them leave or join in a turn. */
  readonly perTurn: number;
}

/** What the server's process tells. */
export type ServerReport =
  | { readonly told: "listening"; readonly port: number }
  | { readonly told: "unavailable"; readonly reason: string }
  | { readonly told: "figures"; readonly figures: ServerFigures }
  | { readonly told: "memory"; readonly memory: Memory };

/** What one measurement has cost the server's process. */
export interface ServerFigures {
  /** CPU time in microseconds. */
  readonly user: number;
  readonly system: number;
  /** When it began and when the last message was sent: `process.hrtime`, in microseconds. */
  readonly began: number;
  readonly ended: number;
  /** How many messages went to each stream, by its id. */
  readonly sent: Readonly<Record<number, number>>;
  /** How many deliveries that makes, with those who were in the room at the moment of each call. */
  readonly deliveries: number;
  /** How much later than asked the event loop came to a timer, in milliseconds. */
  readonly eventLoopDelay: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Time in garbage collection, in milliseconds. */
  readonly gc: number;
  /** The most that was resident since the process began, in bytes. */
  readonly peakResident: number;
  readonly joins: number;
}

/** After a collection, in bytes. */
export interface Memory {
  readonly resident: number;
  /** With what buffers hold outside of it. */
  readonly heap: number;
}
