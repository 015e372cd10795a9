import type { PeerName } from "./peers/peer.ts";
import type { Violations } from "./receivers/messages.ts";

const COST: Comparatives = ["cheaper", "dearer"];
const SPEED: Comparatives = ["faster", "slower"];
const SIZE: Comparatives = ["smaller", "larger"];
const FEW: Comparatives = ["fewer", "more"];
const MUCH: Comparatives = ["more", "fewer"];
const AMOUNT: Comparatives = ["less", "more"];

/** What can be measured. Not every scenario has all of them. */
export const FIGURES: Readonly<Record<Figure, FigureDescription>> = {
  cpu: {
    title: "server CPU for one delivery, user and system",
    column: "CPU",
    unit: "µs",
    better: "lower",
    than: COST,
  },
  user: { title: "of which user", column: "user", unit: "µs", better: "lower", than: COST },
  system: { title: "of which system", column: "sys", unit: "µs", better: "lower", than: COST },
  throughput: { title: "deliveries", column: "deliv.", unit: "/s", better: "higher", than: MUCH },
  messages: { title: "messages", column: "msgs", unit: "/s", better: "higher", than: MUCH },
  bytes: { title: "bytes on the wire for one delivery", column: "bytes", unit: "B", better: "lower", than: FEW },
  // TCP segments with data that the kernel has sent: 1 is a write for each delivery, 0.02 is fifty of them in one.
  writes: { title: "writes for one delivery", column: "writes", unit: "", better: "lower", than: FEW },
  p50: { title: "latency, median", column: "p50", unit: "µs", better: "lower", than: SPEED },
  p99: { title: "latency, p99", column: "p99", unit: "µs", better: "lower", than: SPEED },
  "p99.9": { title: "latency, p99.9", column: "p99.9", unit: "µs", better: "lower", than: SPEED },
  max: { title: "latency, maximum", column: "max", unit: "µs", better: "lower", than: SPEED },
  eventLoopDelay: { title: "event-loop delay, p99", column: "loop", unit: "ms", better: "lower", than: AMOUNT },
  gc: { title: "garbage collection in a second", column: "GC", unit: "ms", better: "lower", than: AMOUNT },
  peakResident: { title: "peak resident memory", column: "RSS", unit: "B", better: "lower", than: SIZE },
  receiversLoad: {
    title: "load of the receivers, of one core",
    column: "rcv load",
    unit: "",
    better: "lower",
    than: AMOUNT,
  },
  connections: { title: "connections", column: "conn.", unit: "/s", better: "higher", than: MUCH },
  connectionCpu: { title: "server CPU for one connection", column: "CPU", unit: "µs", better: "lower", than: COST },
  residentPerConnection: {
    title: "resident memory of an idle connection",
    column: "RSS",
    unit: "B",
    better: "lower",
    than: SIZE,
  },
  heapPerConnection: {
    title: "heap of an idle connection",
    column: "heap",
    unit: "B",
    better: "lower",
    than: SIZE,
  },
  httpP50: { title: "HTTP latency, median", column: "HTTP p50", unit: "ms", better: "lower", than: SPEED },
  httpP99: { title: "HTTP latency, p99", column: "HTTP p99", unit: "ms", better: "lower", than: SPEED },
  httpRequests: { title: "HTTP requests", column: "HTTP", unit: "/s", better: "higher", than: MUCH },
};

type Comparatives = readonly [better: string, worse: string];

export interface FigureDescription {
  readonly title: string;
  /** In the head of a column, in a terminal. */
  readonly column: string;
  readonly unit: string;
  readonly better: "lower" | "higher";
  /** What one says of a value that is better than another one, or worse. */
  readonly than: Comparatives;
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
