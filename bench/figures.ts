import type { PeerName } from "./peers/peer.ts";
import type { Violations } from "./receivers/messages.ts";

/** What can be measured. Not every scenario has all of them. */
export const FIGURES: Readonly<Record<Figure, FigureDescription>> = {
  cpu: { title: "server CPU for one delivery, user and system", unit: "µs", better: "lower" },
  user: { title: "of which user", unit: "µs", better: "lower" },
  system: { title: "of which system", unit: "µs", better: "lower" },
  throughput: { title: "deliveries", unit: "/s", better: "higher" },
  messages: { title: "messages", unit: "/s", better: "higher" },
  bytes: { title: "bytes on the wire for one delivery", unit: "B", better: "lower" },
  // TCP segments with data that the kernel has sent: 1 is a write for each delivery, 0.02 is fifty of them in one.
  writes: { title: "writes for one delivery", unit: "", better: "lower" },
  p50: { title: "latency, median", unit: "µs", better: "lower" },
  p99: { title: "latency, p99", unit: "µs", better: "lower" },
  "p99.9": { title: "latency, p99.9", unit: "µs", better: "lower" },
  max: { title: "latency, maximum", unit: "µs", better: "lower" },
  eventLoopDelay: { title: "event-loop delay, p99", unit: "ms", better: "lower" },
  gc: { title: "garbage collection in a second", unit: "ms", better: "lower" },
  peakResident: { title: "peak resident memory", unit: "B", better: "lower" },
  receiversLoad: { title: "load of the receivers, of one core", unit: "", better: "lower" },
  connections: { title: "connections", unit: "/s", better: "higher" },
  connectionCpu: { title: "server CPU for one connection", unit: "µs", better: "lower" },
  residentPerConnection: { title: "resident memory of an idle connection", unit: "B", better: "lower" },
  heapPerConnection: { title: "heap of an idle connection", unit: "B", better: "lower" },
  httpP50: { title: "HTTP latency, median", unit: "ms", better: "lower" },
  httpP99: { title: "HTTP latency, p99", unit: "ms", better: "lower" },
  httpRequests: { title: "HTTP requests", unit: "/s", better: "higher" },
};

export interface FigureDescription {
  readonly title: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
}

export type Figure =
  | "cpu"
  | "user"
  | "system"
  | "throughput"
  | "messages"
  | "bytes"
  | "writes"
  | "p50"
  | "p99"
  | "p99.9"
  | "max"
  | "eventLoopDelay"
  | "gc"
  | "peakResident"
  | "receiversLoad"
  | "connections"
  | "connectionCpu"
  | "residentPerConnection"
  | "heapPerConnection"
  | "httpP50"
  | "httpP99"
  | "httpRequests";

export type Figures = Partial<Record<Figure, number>>;

/** The capacity of a peer, or what happens at a load that all peers carry. */
export type Phase = "capacity" | "latency";

/** What one slice has measured in one case. */
export interface Measurement {
  /** The parameters in words, the same for all peers: `400 members, 64 B, 16 a turn`. */
  readonly case: string;
  readonly parameters?: CaseParameters;
  readonly phase: Phase;
  readonly figures: Figures;
  /** Absent where nothing was sent. */
  readonly violations?: Violations;
  /** The fraction of the control's capacity, where latency is measured. */
  readonly load?: number;
  /** All latencies, where that is what was measured: see `Tally`. */
  readonly latencies?: readonly (readonly [value: number, count: number])[];
  /** What else is worth saying, for example that stalled clients were closed. */
  readonly remarks?: readonly string[];
}

/** The numbers behind the words of a case, for charts and gates. What a scenario does not vary can be absent. */
export interface CaseParameters {
  readonly members?: number;
  /** Bytes of a message. */
  readonly size?: number;
  /** Messages in a turn of the event loop. */
  readonly perTurn?: number;
  readonly rooms?: number;
  readonly senders?: number;
  readonly connections?: number;
}

/** One peer, in processes of its own, in one round. */
export interface Slice {
  readonly scenario: string;
  readonly trial: string;
  readonly peer: PeerName;
  readonly phase: Phase;
  readonly round: number;
  /** CPU time that others than the benchmark used meanwhile, as a fraction of one core; absent where nobody counts it. */
  readonly disturbance?: number;
  /** None where it failed. */
  readonly measurements: readonly Measurement[];
  readonly failure?: string;
}
