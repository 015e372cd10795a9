import * as Plot from "@observablehq/plot";
import type { Interval, Row } from "../../results.ts";
import type { Content, Markup } from "../markup.ts";
import { coloured, inOrder } from "../page/looks.ts";
import { verdictOf } from "../page/verdicts.ts";
import { panel } from "./chart.ts";
import { column, peerLines, said, titled, type PeerLine, type PeerLines } from "./peer-lines.ts";

/** From the base of its panel to the median, with the interval on it and a number to the right. */
export interface Bar extends PeerLine, Interval {
  readonly number: string;
  readonly verdict: string;
}

interface BarPanel extends Pick<PeerLines, "id" | "title" | "axis" | "labelOf" | "right"> {
  readonly caption: string;
  readonly rows: readonly Row[];
  readonly base: number;
  /** None where there is nothing to draw, and the verdict says why. */
  readonly barOf: (row: Row) => Bar | undefined;
  readonly note?: Content;
}

/** A bar for each peer. */
export function barPanel({ caption, rows, base, barOf, note, ...chart }: BarPanel): Markup {
  const peers = inOrder(rows);
  const bars = peers.map(barOf).filter((bar) => bar !== undefined);
  const lines = peers.map((row) => ({ peer: row.peer, words: barOf(row)?.words ?? verdictOf(row) }));
  const marks = [
    Plot.barX(bars, {
      y: "peer",
      x1: base,
      x2: "median",
      fill: coloured,
      title: titled,
      inset: 4,
      insetLeft: 0,
      insetRight: 0,
    }),
    Plot.ruleY(bars, { y: "peer", x1: "low", x2: "high", className: "interval" }),
    Plot.ruleX([base], { className: "base", insetTop: -4 }),
    ...column(bars, "number", { text: "number", frameAnchor: "right", textAnchor: "end", dx: 44 }),
    ...column(bars, "verdict", { text: "verdict", frameAnchor: "right", dx: 51 }),
    ...peers.filter((row) => barOf(row) === undefined).flatMap(said),
  ];
  return panel(caption, peerLines({ ...chart, lines, marks, pitch: 21 }), note);
}
