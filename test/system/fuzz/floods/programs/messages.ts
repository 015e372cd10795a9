import type { HubStatistics } from "roomcast";

/** The hubs of the server. Their limits are the defaults. */
export type HubName = "usual" | "strict" | "compressing" | "hesitant" | "narrow";

/** What the test wants of the server. */
export type ServerCommand = "figures" | "measure" | "measured" | "release";

/** What the server tells the test. */
export type ServerReport =
  | { readonly told: "ports"; readonly ports: Readonly<Record<HubName, number>> }
  | { readonly told: "figures"; readonly figures: Figures }
  | { readonly told: "measured"; readonly allocated: number }
  /** What must not happen, whatever clients send. */
  | { readonly told: "fault"; readonly fault: string };

/** What there is in the server's process. */
export interface Figures {
  readonly statistics: Readonly<Record<HubName, HubStatistics>>;
  /** How often handlers were called. */
  readonly handled: number;
  /** How often connections were closed with each code. */
  readonly closes: Readonly<Record<string, number>>;
  /** Bytes that are reachable, in and outside the heap, after two collections. */
  readonly memory: number;
  readonly rss: number;
  /** Sockets of the process, without those that listen. */
  readonly descriptors: number;
  /** The processor time that was used, in milliseconds. */
  readonly cpu: number;
  /** The longest time in which the event loop stood still since the last figures, in milliseconds. */
  readonly stall: number;
}

/** What the test wants of the program that floods: the flood, or that its connections are left. */
export type FlooderCommand =
  | {
      readonly flood: string;
      readonly port: number;
      /** The address that the flood comes from. */
      readonly address: string;
      /** The most pieces that each of its clients sends, and for how long, in milliseconds. */
      readonly pieces: number;
      readonly time: number;
    }
  | "leave";

/** What the program that floods has seen. */
export interface Flooded {
  readonly connections: number;
  readonly sentBytes: number;
  /** How often the handshake was answered with each status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** The most bytes that the system took for a connection on which the close frame had come. */
  readonly lateBytes: number;
}
