import type { Dialect } from "../peers/peer.ts";

/** What the coordinator asks of the receivers' process. */
export type ReceiversCommand =
  | { readonly do: "connect"; readonly plan: ConnectPlan }
  /** Begins a measurement: everything is counted from 0. */
  | { readonly do: "begin"; readonly measurement: Counting }
  /** Whether reading goes on for these clients. */
  | { readonly do: "stall"; readonly clients: readonly number[]; readonly stalled: boolean }
  /**
   * Waits until everything has arrived, or nothing more comes, and answers with the tally. `sent` tells how many messages
   * went to each stream; deliveries can be fewer than were expected only by loss. Of clients that are stalled nothing
   * more is expected: their streams may end anywhere.
   */
  | { readonly do: "end"; readonly sent: Readonly<Record<number, number>>; readonly deliveries: number };

export interface ConnectPlan {
  readonly port: number;
  readonly dialect: Dialect;
  readonly clients: readonly Client[];
  /** How many handshakes may be under way at a time. */
  readonly concurrency: number;
  /** Loopback addresses to connect from, in turn: one has too few ports for very many connections. */
  readonly from: readonly string[];
  /** Whether to ask for permessage-deflate without context takeover. Then messages are inflated before they are counted. */
  readonly compression: boolean;
  /** Bytes that every message has to have on the wire, without its frame's header; absent where that differs. */
  readonly size?: number;
}

export interface Client {
  readonly id: number;
  readonly rooms: readonly string[];
  /** The streams that it has to hear, each without a gap. */
  readonly streams: readonly number[];
  /** Streams that it may hear, because it comes and goes: gaps are not counted, everything else is. */
  readonly passing?: readonly number[];
}

/** How to count, and what the clients themselves send meanwhile. */
export interface Counting {
  /**
   * Tell the coordinator each time that so many more deliveries have arrived, and what is left over when no more come for
   * a moment. With a billion or more nothing is told at all.
   */
  readonly reportEvery: number;
  readonly senders?: Sending;
}

/** Clients that send: each has a stream of its own, which everybody in its room but itself hears. */
export interface Sending {
  readonly senders: readonly { readonly client: number; readonly stream: number; readonly members: number }[];
  /** Bytes of the WebSocket message that the others get. */
  readonly size: number;
  readonly seconds: number;
  /** `saturating`: each sends one message at a time while fewer than `inFlight` deliveries are on their way. */
  readonly pace:
    | { readonly kind: "saturating"; readonly inFlight: number }
    | { readonly kind: "open-loop"; readonly rate: number };
}

/** What the receivers' process tells. */
export type ReceiversReport =
  | { readonly told: "connected"; readonly seconds: number }
  /** So many more than were told before. */
  | { readonly told: "received"; readonly deliveries: number }
  /** The clients have sent all they had to. */
  | { readonly told: "sent"; readonly sent: Readonly<Record<number, number>>; readonly deliveries: number }
  | { readonly told: "tally"; readonly tally: Tally }
  | { readonly told: "failed"; readonly reason: string };

/** What has arrived. */
export interface Tally {
  readonly deliveries: number;
  /** Bytes on the wire, headers of frames included. */
  readonly bytes: number;
  /** How often a socket had something to read. */
  readonly reads: number;
  /** When the first and the last delivery arrived: `process.hrtime`, in microseconds. */
  readonly first: number;
  readonly last: number;
  readonly violations: Violations;
  /** Microseconds from the stamp to the read, as `[value, count]`, ascending; a value stands for its class. */
  readonly latencies: readonly (readonly [value: number, count: number])[];
  /** CPU time of the receivers' process as a fraction of one core, while they were counting. */
  readonly load: number;
}

/** What must not happen; each is counted in messages and summed over all connections. */
export interface Violations {
  /** Never arrived. */
  readonly missing: number;
  readonly duplicated: number;
  /** Arrived after a later one. */
  readonly reordered: number;
  /** Of a stream that this client must not hear. */
  readonly misrouted: number;
  /** Of a stream that this client itself sends. */
  readonly echoed: number;
  /** Frames that are no message of the benchmark, or one of another size. */
  readonly malformed: number;
  /** Connections that ended since the last tally. */
  readonly closed: number;
}

export const NO_VIOLATIONS: Violations = {
  missing: 0,
  duplicated: 0,
  reordered: 0,
  misrouted: 0,
  echoed: 0,
  malformed: 0,
  closed: 0,
};
