export type ContestantName = "hub" | "hub, plain clients" | "hub without history" | "socket.io recovery" | "drops";

/** The client that a contestant is used with. */
export type ClientKind = "hub" | "plain" | "socket.io";

/** A server and its clients, set up as their users would. */
interface Contestant {
  readonly client: ClientKind;
  /** Whether the server keeps what clients miss. */
  readonly records: boolean;
  /** For people. */
  readonly settings: string;
}

export const CONTESTANTS: Readonly<Record<ContestantName, Contestant>> = {
  hub: { client: "hub", records: true, settings: "history, and the client of the package" },
  "hub, plain clients": {
    client: "plain",
    records: true,
    settings: "history, and the twenty lines of docs/PROTOCOL.md on the WebSocket of ws",
  },
  "hub without history": { client: "hub", records: false, settings: "the client of the package, which joins again" },
  "socket.io recovery": {
    client: "socket.io",
    records: true,
    settings:
      "connectionStateRecovery with its defaults, with several nodes over the Redis Streams adapter, and socket.io-client, over WebSocket only",
  },
  drops: { client: "hub", records: true, settings: "history, but one message in 10 is not recorded" },
};

/** The contestants that are compared: all but the one that is broken on purpose. */
export const COMPARED: readonly ContestantName[] = [
  "hub",
  "hub, plain clients",
  "hub without history",
  "socket.io recovery",
];
