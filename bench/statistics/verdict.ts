import { FIGURES, type Figure } from "../figures.ts";
import { NO_VIOLATIONS, type Violations } from "../receivers/messages.ts";
import type { Interval, Row, Verdict } from "../results.ts";

/** With more load than this, as a fraction of one core, the receivers may have kept the server waiting. */
const BUSY = 0.9;

/** Figures that are as good as the receivers. What a delivery costs the server does not depend on them. */
const OF_BOTH_ENDS: ReadonlySet<Figure> = new Set(["throughput", "messages", "p50", "p99", "p99.9", "max"]);

/** The remark on a row whose throughput says what the receivers can do. */
export const RECEIVER_BOUND = "receiver-bound";

/** With fewer rounds than this a bootstrap interval is too narrow by far, and nothing is said to be better or worse. */
export const ENOUGH_ROUNDS = 5;

/** What a verdict is found on. */
export interface Case {
  readonly isControl: boolean;
  readonly headline: Figure;
  readonly violations: Violations | undefined;
  readonly receiversLoad: number | undefined;
  /** In which both were measured. */
  readonly rounds: number;
  /** Whether it did what the case asks for, and not something cheaper. */
  readonly isLike: boolean;
  /** Absent where the control has not been measured. */
  readonly ratio: Interval | undefined;
}

/** Withheld too where there is nothing to compare with, and where a difference was not seen often enough. */
export function verdictOf(found: Case): Verdict {
  const { isControl, headline, violations, receiversLoad, rounds, isLike, ratio } = found;
  if (violations !== undefined) return "void";
  if (isControl) return "control";
  if (ratio === undefined || !isLike) return "withheld";
  if (OF_BOTH_ENDS.has(headline) && isReceiverBound(receiversLoad)) return "withheld";
  if (ratio.low <= 1 && ratio.high >= 1) return "same";
  if (rounds < ENOUGH_ROUNDS) return "withheld";
  return ratio.high < 1 === (FIGURES[headline].better === "lower") ? "better" : "worse";
}

export function isReceiverBound(receiversLoad: number | undefined): boolean {
  return receiversLoad !== undefined && receiversLoad > BUSY;
}

/** Of several measurements together; `undefined` where there was none. */
export function sumOf(all: readonly (Violations | undefined)[]): Violations | undefined {
  const sum = { ...NO_VIOLATIONS };
  const kinds = Object.keys(sum) as (keyof Violations)[];
  for (const violations of all) {
    for (const kind of kinds) sum[kind] += violations?.[kind] ?? 0;
  }
  return kinds.some((kind) => sum[kind] > 0) ? sum : undefined;
}

/** Whether the receivers are why there is no verdict. */
export function isWithheldForReceivers({ verdict, remarks, headline }: Row): boolean {
  return verdict === "withheld" && OF_BOTH_ENDS.has(headline) && remarks.includes(RECEIVER_BOUND);
}

/** Whether the row's headline says something about the peer. */
export function counts(row: Row): boolean {
  return row.verdict !== "void" && (row.verdict !== "withheld" || row.ratio === undefined);
}
