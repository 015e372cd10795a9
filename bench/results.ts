import type { CaseParameters, Figure, Phase, Slice } from "./figures.ts";
import type { PeerName } from "./peers/peer.ts";
import type { Violations } from "./receivers/messages.ts";

/** Everything that a run has found, and what the JSON file holds. */
export interface Results {
  readonly version: 1;
  readonly machine: Machine;
  /** ISO 8601. */
  readonly started: string;
  readonly seconds: number;
  /** The command line, filled in with the defaults. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly peers: readonly PeerState[];
  readonly absences?: readonly Absence[];
  readonly rows: readonly Row[];
  readonly gates: readonly Gate[];
  /** Raw: every slice, also those that were disturbed and repeated. */
  readonly slices: readonly Slice[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: number;
  readonly system: string;
  readonly node: string;
  /** Versions of the libraries that are compared. */
  readonly packages: Readonly<Record<string, string>>;
  /** On which cores the server and the receivers ran, or that they were not pinned, and why. */
  readonly pinning: string;
}

export interface PeerState {
  readonly name: PeerName;
  readonly settings: Readonly<Record<string, string>>;
  /** Why it took no part, if it did not. */
  readonly unavailable?: string;
}

/** A peer that took no part in a trial. */
export interface Absence {
  readonly scenario: string;
  readonly trial: string;
  readonly peer: PeerName;
  readonly reason: string;
}

/** A median of the undisturbed slices, with the bounds of its bootstrap 95 % interval. */
export interface Interval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/**
 * `void`: messages were lost, doubled or misled, so the speed counts for nothing. `withheld`: see the
 * remarks; or there were too few rounds. `same`: the interval of the ratio spans 1.
 */
export type Verdict = "control" | "better" | "worse" | "same" | "withheld" | "void";

/** One peer in one case. */
export interface Row {
  readonly scenario: string;
  readonly trial: string;
  readonly case: string;
  readonly parameters?: CaseParameters;
  readonly phase: Phase;
  readonly peer: PeerName;
  /** The fraction of the control's capacity, where latency was measured. */
  readonly load?: number;
  /** How many undisturbed slices stand behind it. */
  readonly slices: number;
  /** How many were disturbed by other programs. */
  readonly disturbed: number;
  readonly headline: Figure;
  readonly figures: Readonly<Partial<Record<Figure, Interval>>>;
  /** Of the headline to the control's, paired by round. */
  readonly ratio?: Interval;
  /** Of the CPU for one delivery to that of bare writes. */
  readonly toFloor?: Interval;
  readonly verdict: Verdict;
  /** Summed; present where something was wrong. */
  readonly violations?: Violations;
  readonly remarks: readonly string[];
}

/** One promise that `--gate` holds the run to. */
export interface Gate {
  readonly name: string;
  readonly limit: number;
  /** Absent where the run did not measure it. */
  readonly measured?: Interval;
  readonly passed: boolean | undefined;
}
