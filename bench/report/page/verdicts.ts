import { FIGURES, type Figure } from "../../figures.ts";
import type { Violations } from "../../receivers/messages.ts";
import { UNCOMPRESSED } from "../../scenarios/compressed.ts";
import type { Row } from "../../results.ts";
import { RECEIVER_BOUND } from "../../statistics/rows.ts";
import { OF_BOTH_ENDS } from "../../statistics/verdict.ts";
import { countOf, numberOf } from "./numbers.ts";

type Comparatives = readonly [better: string, worse: string];

const COST: Comparatives = ["cheaper", "dearer"];
const SPEED: Comparatives = ["faster", "slower"];
const SIZE: Comparatives = ["smaller", "larger"];
const FEW: Comparatives = ["fewer", "more"];
const MUCH: Comparatives = ["more", "fewer"];

const COMPARATIVES: Readonly<Partial<Record<Figure, Comparatives>>> = {
  cpu: COST,
  user: COST,
  system: COST,
  connectionCpu: COST,
  throughput: MUCH,
  messages: MUCH,
  connections: MUCH,
  httpRequests: MUCH,
  bytes: FEW,
  writes: FEW,
  p50: SPEED,
  p99: SPEED,
  "p99.9": SPEED,
  max: SPEED,
  httpP50: SPEED,
  httpP99: SPEED,
  peakResident: SIZE,
  residentPerConnection: SIZE,
  heapPerConnection: SIZE,
};

/** From here on a difference is told as a factor, below it in per cent. */
const FACTOR = 1.995;

const VIOLATIONS: readonly (keyof Violations)[] = [
  "missing",
  "duplicated",
  "reordered",
  "misrouted",
  "echoed",
  "malformed",
  "closed",
];

/** The verdict as one would say it: `13.2× cheaper`, `no difference`, `receiver-bound`, `void: 3 missing`. */
export function verdictOf(row: Row): string {
  switch (row.verdict) {
    case "control":
      return "the control";
    case "void":
      return `void: ${firstOf(violationsOf(row.violations))}`;
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
  const [better, worse] = COMPARATIVES[figure] ?? ["less", "more"];
  const less = ratio < 1;
  const word = less === (FIGURES[figure].better === "lower") ? better : worse;
  const factor = less ? 1 / ratio : ratio;
  if (factor >= FACTOR) return `${factor < 100 ? factor.toFixed(1) : numberOf(factor)}× ${word}`;
  const percent = Math.round(Math.abs(1 - ratio) * 100);
  return percent === 0 ? `under 1\u00A0% ${word}` : `${percent}\u00A0% ${word}`;
}

/** `3 missing, 1 echoed` */
export function violationsOf(violations: Violations | undefined): string {
  if (violations === undefined) return "not counted";
  const found = VIOLATIONS.filter((kind) => violations[kind] > 0);
  return found.map((kind) => `${countOf(violations[kind])} ${kind}`).join(", ") || "nothing wrong";
}

/** The page has room for one kind only beside a chart; the table has them all. */
function firstOf(violations: string): string {
  const [first = "", ...others] = violations.split(", ");
  return others.length === 0 ? first : `${first} and more`;
}

/** Whether the row's headline says something about the peer. */
export function counts(row: Row): boolean {
  return row.verdict !== "void" && (row.verdict !== "withheld" || row.ratio === undefined);
}
