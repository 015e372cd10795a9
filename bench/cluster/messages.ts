import type { Case } from "./cases.ts";

/** What the coordinator asks of a node. */
export type NodeCommand =
  | { readonly do: "settle" }
  | {
      readonly do: "send";
      /** The rooms that it sends to in turn. */
      readonly rooms: readonly number[];
      readonly perTurn: number;
      readonly count: number;
      readonly window: number;
      readonly pause: number;
    }
  /** So many of its messages have arrived everywhere. */
  | { readonly do: "credit"; readonly arrived: number }
  | { readonly do: "meter" };

export type NodeReport =
  | { readonly told: "listening"; readonly port: number }
  | { readonly told: "settled" }
  | { readonly told: "sent" }
  /** In microseconds of processor time, since its start. */
  | { readonly told: "meter"; readonly user: number; readonly system: number };

/** What the coordinator asks of the clients' process. */
export type ClientsCommand =
  | { readonly do: "connect"; readonly ports: readonly number[]; readonly each: Case; readonly dialect: string }
  /** The times of what has come so far. */
  | { readonly do: "forget" }
  | { readonly do: "latency" };

export type ClientsReport =
  | { readonly told: "connected" }
  | { readonly told: "forgotten" }
  /** By the number of the publisher. `faults` are messages that were missing, twice, out of order or in the wrong room. */
  | { readonly told: "progress"; readonly received: readonly number[]; readonly faults: number }
  /** Medians in microseconds of what came from the client's own node, and from others. */
  | { readonly told: "latency"; readonly near: number; readonly far: number };
