import type { HubStatistics } from "roomcast";

/** The hubs of the server: each has limits of its own. */
export type HubName = "usual" | "lenient" | "compressing";

/** What the coordinator wants of the server. */
export type Command = { readonly do: "figures" } | { readonly do: "pause" } | { readonly do: "end" };

/** What the server tells the coordinator. */
export type Report =
  | { readonly told: "ports"; readonly ports: Readonly<Record<HubName, number>> }
  | { readonly told: "figures"; readonly figures: Figures }
  | { readonly told: "paused"; readonly ticks: Readonly<Record<HubName, number>> }
  /** What must not happen, whatever clients send. */
  | { readonly told: "fault"; readonly fault: string };

/** What there is in the server's process, its garbage collected. */
export interface Figures {
  readonly hubs: Readonly<Record<HubName, HubFigures>>;
  /** Open files, sockets among them: the only way to see those of uWebSockets.js. */
  readonly descriptors: number;
  /** What keeps the process alive, by type. */
  readonly resources: Readonly<Record<string, number>>;
  /** What is reachable, in and outside the heap, in bytes. */
  readonly memory: number;
  readonly rss: number;
  /** What the prototypes of the language have that they had not at the start. */
  readonly pollution: readonly string[];
}

/** What one hub holds and has done. */
export interface HubFigures {
  readonly sockets: number;
  readonly statistics: HubStatistics;
  /** Refusals by their reason. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Calls of `error` by their source. */
  readonly errors: Readonly<Record<string, number>>;
  /** Ends of connections by their code. */
  readonly disconnections: Readonly<Record<string, number>>;
}
