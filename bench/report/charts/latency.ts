import * as Plot from "@observablehq/plot";
import type { Row } from "../../results.ts";
import { grouped } from "../grouped.ts";
import { html, type Markup } from "../markup.ts";
import { percentOf, quantityOf } from "../numbers.ts";
import { coloured } from "../page/looks.ts";
import { byCase, numbersTable } from "../page/tables.ts";
import { counts, verdictOf } from "../page/verdicts.ts";
import { logAxis, type Axis } from "./axis.ts";
import { panel, wideAndNarrow } from "./chart.ts";
import { column, peerLines, said, titled, type PeerLine } from "./peer-lines.ts";

/** What is told of latencies. */
const PERCENTILES = ["p50", "p99", "p99.9", "max"] as const;

/** For each scenario and load the peers against each other. */
export function latencyCharts(rows: readonly Row[]): readonly Markup[] {
  const measured = rows.filter((row) => row.load !== undefined && PERCENTILES.some((figure) => row.figures[figure]));
  const cases = grouped(measured, (row) => JSON.stringify([row.scenario, row.trial, row.case]));
  return [...cases.values()].map((group, index) => {
    const values = group.filter(counts).flatMap((row) => PERCENTILES.map((figure) => row.figures[figure]?.median ?? 0));
    const axis = logAxis(values, 3);
    return html`<section class="group">
      <h3>${group[0]?.scenario} <span class="measure">${group[0]?.case}</span></h3>
      <div class="curves">
        ${byCase(group).map((peers, place) => panelOf(peers, axis, `latency-${index}-${place}`))}
      </div>
      ${numbersTable(group, ["load", "peer", ...PERCENTILES, "ratio", "verdict"])}
    </section>`;
  });
}

/** A line for each peer, from its median to its maximum. */
function panelOf(rows: readonly Row[], axis: Axis, id: string): Markup {
  const load = percentOf(rows[0]?.load ?? 0);
  const lines = rows.map(lineOf);
  const drawn = lines.filter(({ max }) => max !== undefined);
  const stroke = { y: "peer", stroke: coloured, title: titled } as const;
  const numbers = (["p50", "p99"] as const).flatMap((figure, index) => {
    const place = { textAnchor: "end", dx: 70 + index * 68 } as const;
    const text = ({ [figure]: value = 0 }: (typeof lines)[number]): string => quantityOf(value, figure);
    return [
      Plot.text([figure], { ...place, frameAnchor: "top-right", dy: -18, className: "tick" }),
      ...column(drawn, "number", { ...place, frameAnchor: "right", text }),
    ];
  });
  const marks = [
    Plot.ruleY(drawn, { ...stroke, x1: "p50", x2: "max", strokeWidth: 1.25 }),
    Plot.tickX(drawn, { ...stroke, x: "p99.9", strokeWidth: 2, inset: 5.5 }),
    Plot.tickX(drawn, { ...stroke, x: "max", strokeWidth: 2, inset: 8.5 }),
    Plot.dot(drawn, { ...stroke, x: "p50", r: 4, className: "ring" }),
    Plot.dot(drawn, { y: "peer", x: "p99", fill: coloured, title: titled, r: 5, className: "mark" }),
    ...numbers,
    ...rows.filter((row) => !counts(row)).flatMap(said),
  ];
  const labelOf = (value: number): string => quantityOf(value, "p50");
  const chart = { title: `Latency at ${load}`, lines, axis, labelOf, pitch: 23, right: 142, marks };
  return panel(
    `At ${load} of what the control can carry`,
    wideAndNarrow(560, (width) => peerLines({ ...chart, id: `${id}-${width}`, width })),
  );
}

/** `p50 1.2 ms, p99 3.4 ms`, or why there is nothing to tell. */
function lineOf(row: Row): PeerLine & Partial<Record<(typeof PERCENTILES)[number], number>> {
  if (!counts(row)) return { peer: row.peer, words: verdictOf(row) };
  const found = PERCENTILES.flatMap((figure) => {
    const median = row.figures[figure]?.median;
    return median === undefined ? [] : [[figure, median] as const];
  });
  const words = found.map(([figure, median]) => `${figure} ${quantityOf(median, figure)}`).join(", ");
  return { peer: row.peer, words, ...Object.fromEntries(found) };
}
