import { FIGURES, type Figure } from "../../figures.ts";
import { violationsOf } from "../../facts.ts";
import type { Row } from "../../results.ts";
import { UNCOMPRESSED } from "../../scenarios/compressed.ts";
import { isWithheldForReceivers, RECEIVER_BOUND } from "../../statistics/verdict.ts";
import { numberOf, percentOf } from "../../numbers.ts";

/** From here on a difference is told as a factor, below it in per cent. */
const FACTOR = 1.995;

/** The verdict as one would say it: `13.2× cheaper`, `no difference`, `receiver-bound`, `void: 3 missing`. */
export function verdictOf(row: Row): string {
  const { verdict, ratio, remarks, violations, headline } = row;
  if (verdict === "control") return "the control";
  // There is room for one kind beside a chart; the tables have them all.
  if (violations) return `void: ${violationsOf(violations).replace(/, .*/, " and more")}`;
  if (verdict === "same") return "no difference";
  if (ratio === undefined) return "no control";
  if (verdict !== "withheld") return differenceOf(ratio.median, headline);
  if (remarks.includes(UNCOMPRESSED)) return UNCOMPRESSED;
  return isWithheldForReceivers(row) ? RECEIVER_BOUND : "too few rounds";
}

/** `13.2× cheaper`, `15 % dearer` */
export function differenceOf(ratio: number, figure: Figure): string {
  const { better, than } = FIGURES[figure];
  const word = than[ratio < 1 === (better === "lower") ? 0 : 1];
  const factor = Math.max(ratio, 1 / ratio);
  if (factor >= FACTOR) return `${factor < 100 ? factor.toFixed(1) : numberOf(factor)}× ${word}`;
  const hundredths = Math.round(Math.abs(1 - ratio) * 100);
  return hundredths === 0 ? `under ${percentOf(0.01)} ${word}` : `${percentOf(hundredths / 100)} ${word}`;
}
