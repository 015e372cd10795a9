import type { ConnectPlan, Counting, Tally } from "./receivers/messages.ts";
import type { PeerName } from "./peers/peer.ts";
import type { Load, Memory, ServerFigures, Stream } from "./server/messages.ts";

/** A peer's server and its clients, each in a process of its own, for one slice. */
export interface Stage {
  readonly peer: PeerName;
  readonly port: number;
  connect(plan: Omit<ConnectPlan, "port" | "dialect" | "compression">): Promise<{ seconds: number }>;
  /** The server sends a load, the clients receive it. */
  broadcast(load: Load): Promise<Observation>;
  /** The clients send, the server relays. */
  relay(counting: Required<Counting>): Promise<Observation>;
  /** Somebody else causes what is sent, meanwhile: autocannon. */
  observe<R>(streams: readonly Stream[], action: () => Promise<R>): Promise<{ result: R; observation: Observation }>;
  /** Whether these clients read. */
  stall(clients: readonly number[], stalled: boolean): Promise<void>;
  memory(): Promise<Memory>;
}

/** Both ends of one measurement. */
export interface Observation {
  readonly server: ServerFigures;
  readonly tally: Tally;
  /** TCP segments with data that the machine sent, less those of the clients; `undefined` where the system does not count. */
  readonly segments: number | undefined;
}
