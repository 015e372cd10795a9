import type { Tally } from "./journal.ts";

/** What the coordinator asks of a server. */
export type ServerCommand =
  /** Asked before the clients come: a first message is recorded in each room. */
  | { readonly do: "begin"; readonly rooms: readonly string[] }
  /** Asked when the clients are there: waits until the server hears what others send. */
  | { readonly do: "settle" }
  | {
      readonly do: "send";
      /** The rooms that the server sends to in turn. */
      readonly rooms: readonly string[];
      /** Messages a second to each room. */
      readonly rate: number;
      readonly seconds: number;
    };

export type ServerReport =
  | { readonly told: "listening"; readonly port: number }
  | { readonly told: "begun" }
  | { readonly told: "settled" }
  /** The number of messages that went to each room. */
  | { readonly told: "sent"; readonly sent: Readonly<Record<string, number>> };

/** What the coordinator asks of the clients' process. */
export type ClientsCommand =
  | {
      readonly do: "connect";
      /** The ports of the servers, which clients reach in turn. */
      readonly ports: readonly number[];
      /** The rooms of each client. */
      readonly rooms: readonly (readonly string[])[];
    }
  /** From now on connections are cut. */
  | { readonly do: "cut"; readonly cuts: readonly Cut[] }
  /** Nothing more is sent: waits until the clients are back, and answers with the tally. */
  | { readonly do: "end"; readonly sent: Readonly<Record<string, number>> };

export type ClientsReport =
  /** Every client is in all its rooms. */
  { readonly told: "joined" } | { readonly told: "tally"; readonly tally: Tally };

/**
 * How a connection ends: for both ends at once; for the client alone, as when a phone changes its network, so that the
 * server goes on sending; or for both in the middle of what the server sends next.
 */
export type CutKind = "both" | "client" | "torn";

/** One cut of one client's connection. */
export interface Cut {
  /** Milliseconds since the beginning. */
  readonly time: number;
  readonly client: number;
  readonly kind: CutKind;
}
