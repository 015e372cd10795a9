/** The ways of broadcasting that are compared. The first is the control. */
export type ComparedPeer =
  | "ws loop"
  | "uws publish"
  | "hub on ws"
  | "hub on uws"
  | "socket.io ws"
  | "socket.io uws"
  | "crossws";

/** Peers that are broken on purpose, to show that the harness notices. */
export type FaultyPeer = "drops" | "duplicates" | "misroutes" | "pauses";

/** `floor` is no library: bare writes to bare sockets, one for each member and turn, as few as there can be in Node.js. */
export type PeerName = ComparedPeer | "floor" | FaultyPeer;

/** How a client has to talk to a peer: bare WebSocket messages, or the packets of Engine.IO 4 over a WebSocket. */
export type Dialect = "websocket" | "engine.io";

/**
 * One library, set up as its users would set it up to do what the benchmark asks.
 *
 * A client says in the query of its request who it is and where it belongs: `?client=17&rooms=r0,r5`. It is in these rooms
 * before it is sent anything, and everything that it sends is relayed to the others in the first of them.
 */
export interface Peer {
  readonly dialect: Dialect;
  /** What it was set to where that matters to a comparison, for people to read. */
  readonly settings: Readonly<Record<string, string>>;
  /** Rejects where the library cannot be used here; the message says why. */
  start(application: Application): Promise<PeerServer>;
}

/** What a peer is asked to do. */
export interface Application {
  /** Whether permessage-deflate is offered, without context takeover. */
  readonly compression: boolean;
  /** The pattern of the rooms that a hub records; absent where it keeps no record. Others have none. */
  readonly recorded?: string;
  /**
   * Somebody has posted to `/publish`, with a JSON body of any size that the peer has read to its end. What to send is the
   * application's business, the answer (204) the peer's. Everything else over HTTP is answered with 200 and `ok`.
   */
  posted(): void;
}

/** A peer that listens on 127.0.0.1. */
export interface PeerServer {
  readonly port: number;
  /** To everybody in the room. */
  publish(room: string, body: string): void;
  /** To everybody in any of the rooms, once, who is in none of the others. Absent where the library has no such thing. */
  readonly publishToUnion?: (rooms: readonly string[], except: readonly string[], body: string) => void;
  join(client: number, room: string): void;
  leave(client: number, room: string): void;
  /** Stops listening. Resolves when the clients, who have to go by themselves, are gone. */
  close(): Promise<void>;
}
