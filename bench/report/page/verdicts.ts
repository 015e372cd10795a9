import { FIGURES, type Figure } from "../../figures.ts";
import type { Violations } from "../../receivers/messages.ts";
import { UNCOMPRESSED } from "../../scenarios/compressed.ts";
import type { Row } from "../../results.ts";
import { RECEIVER_BOUND } from "../../statistics/rows.ts";
import { OF_BOTH_ENDS } from "../../statistics/verdict.ts";
import { countOf, numberOf } from "../numbers.ts";

/** From here on a difference is told as a factor, below it in per cent. */
const FACTOR = 1.995;

/** The verdict as one would say it: `13.2× cheaper`, `no difference`, `receiver-bound`, `void: 3 missing`. */
export function verdictOf(row: Row): string {
  switch (row.verdict) {
    case "control":
      return "the control";
    case "void":
      // There is room for one kind beside a chart; the tables have them all.
      return `void: ${violationsOf(row.violations).replace(/, .*/, " and more")}`;
    case "withheld":
      return reasonOf(row);
    case "same":
      return "no difference";
    default:
      return row.ratio === undefined ? "not compared" : differenceOf(row.ratio.median, row.headline);
  }
}

/** Whether the receivers are why there is no verdict. */
export function isWithheldForReceivers({ verdict, remarks, headline }: Row): boolean {
  return verdict === "withheld" && OF_BOTH_ENDS.has(headline) && remarks.includes(RECEIVER_BOUND);
}

function reasonOf(row: Row): string {
  if (row.ratio === undefined) return "no control";
  if (row.remarks.includes(UNCOMPRESSED)) return UNCOMPRESSED;
  return isWithheldForReceivers(row) ? RECEIVER_BOUND : "too few rounds";
}

/** `13.2× cheaper`, `15 % dearer` */
export function differenceOf(ratio: number, figure: Figure): string {
  const { better, than } = FIGURES[figure];
  const less = ratio < 1;
  const word = than[less === (better === "lower") ? 0 : 1];
  const factor = less ? 1 / ratio : ratio;
  if (factor >= FACTOR) return `${factor < 100 ? factor.toFixed(1) : numberOf(factor)}× ${word}`;
  const percent = Math.round(Math.abs(1 - ratio) * 100);
  return percent === 0 ? `under 1\u00A0% ${word}` : `${percent}\u00A0% ${word}`;
}

/** `3 missing, 1 echoed` */
export function violationsOf(violations: Violations | undefined): string {
  if (violations === undefined) return "not counted";
  const found = Object.entries(violations).filter(([, count]) => count > 0);
  return found.map(([kind, count]) => `${countOf(count)} ${kind}`).join(", ") || "nothing wrong";
}

/** Whether the row's headline says something about the peer. */
export function counts(row: Row): boolean {
  return row.verdict !== "void" && (row.verdict !== "withheld" || row.ratio === undefined);
}
