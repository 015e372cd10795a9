import type { Figure, Measurement } from "../figures.ts";
import type { ComparedPeer } from "../peers/peer.ts";
import type { Stage } from "../stage.ts";

export type ScenarioName =
  | "one-to-all"
  | "burst"
  | "chat"
  | "many-rooms"
  | "multi-room"
  | "slow"
  | "churn"
  | "connect"
  | "idle"
  | "compressed"
  | "http-publish"
  | "http-under-load";

/** One question that the benchmark asks. */
export interface Scenario {
  readonly name: ScenarioName;
  /** One line: what is done, and what it shows. */
  readonly description: string;
  /** What is compared first, in the table and in the verdicts. Whether less or more is better stands in `figures.ts`. */
  readonly headline: Figure;
  /** What else belongs into the table. */
  readonly also: readonly Figure[];
  /** The quick set takes few and short ones. `options` narrows them down: sizes, members, rooms. */
  trials(options: TrialOptions): readonly Trial[];
  /** Why this peer cannot take part, if it cannot. */
  unable?(peer: ComparedPeer): string | undefined;
}

/** What the command line says of the trials; what is absent is up to the scenario. */
export interface TrialOptions {
  readonly full: boolean;
  readonly sizes?: readonly number[];
  readonly members?: readonly number[];
  readonly rooms?: number;
  /** Messages in a turn. */
  readonly rates?: readonly number[];
  /** Seconds for one measurement. */
  readonly seconds?: number;
  /** For whatever is drawn by lot. */
  readonly seed: number;
}

/** What one slice does with one peer: one fresh server and its clients, and one or more cases on them. */
export interface Trial {
  /** Unique in the scenario. */
  readonly name: string;
  /** Bytes of a message. */
  readonly size: number;
  readonly compression: boolean;
  /** Options of Node.js for the server's process. */
  readonly flags?: readonly string[];
  /** Finds out what the peer can do. */
  capacity(stage: Stage): Promise<readonly Measurement[]>;
  /**
   * Sends at fixed rates, the same for all peers: one measurement for each of `loads`, fractions of `messages` a second,
   * which is what the control was capable of. Absent where latency is not the question.
   */
  readonly latency?: (stage: Stage, messages: number, loads: readonly number[]) => Promise<readonly Measurement[]>;
}
