import * as Plot from "@observablehq/plot";
import type { Figure } from "../../figures.ts";
import type { Row } from "../../results.ts";
import { grouped } from "../../grouped.ts";
import { html, type Markup } from "../markup.ts";
import { percentOf, quantityOf } from "../../numbers.ts";
import { coloured } from "../page/looks.ts";
import { byCase, numbersTable } from "../page/tables.ts";
import { counts } from "../../statistics/verdict.ts";
import { logAxis, type Axis } from "./axis.ts";
import { group } from "./chart.ts";
import { column, peerPanel, titled } from "./peer-panel.ts";

const PERCENTILES = ["p50", "p99", "p99.9", "max"] as const;

/** For each scenario and load the peers against each other. */
export function latencyCharts(rows: readonly Row[]): readonly Markup[] {
  const measured = rows.filter((row) => row.load !== undefined && PERCENTILES.some((figure) => row.figures[figure]));
  const cases = grouped(measured, (row) => JSON.stringify([row.scenario, row.trial, row.case]));
  return [...cases.values()].map((members, index) => {
    const medians = members
      .filter(counts)
      .flatMap(({ figures }) => PERCENTILES.map((each) => figures[each]?.median ?? 0));
    const axis = logAxis(medians, 3);
    const heading = html`<h3>${members[0]?.scenario} <span class="measure">${members[0]?.case}</span></h3>`;
    const panels = byCase(members).map((peers, place) => panelOf(peers, axis, `latency-${index}-${place}`));
    return group(heading, true, panels, numbersTable(members, ["load", "peer", ...PERCENTILES, "ratio", "verdict"]));
  });
}

/** A line for each peer, from its median to its maximum. */
function panelOf(rows: readonly Row[], axis: Axis, id: string): Markup {
  return peerPanel({
    id,
    caption: `At ${percentOf(rows[0]?.load ?? 0)} of what the control can carry`,
    rows,
    drawnOf: ({ peer, figures }) => {
      const found = PERCENTILES.filter((figure) => figures[figure]);
      const words = found.map((figure) => `${figure} ${quantityOf(figures[figure]?.median ?? 0, figure)}`);
      return { peer, figures, words: words.join(", ") };
    },
    marksOf: (lines) => {
      const line = { y: "peer", stroke: coloured, title: titled } as const;
      return [
        Plot.ruleY(lines, { ...line, x1: medianOf("p50"), x2: medianOf("max"), strokeWidth: 1.25 }),
        Plot.tickX(lines, { ...line, x: medianOf("p99.9"), strokeWidth: 2, inset: 5.5 }),
        Plot.tickX(lines, { ...line, x: medianOf("max"), strokeWidth: 2, inset: 8.5 }),
        Plot.dot(lines, { ...line, x: medianOf("p50"), r: 4, className: "ring" }),
        Plot.dot(lines, { y: "peer", x: medianOf("p99"), fill: coloured, title: titled, r: 5, className: "mark" }),
        (["p50", "p99"] as const).map((figure, index) => {
          const place = { textAnchor: "end", dx: 70 + index * 68 } as const;
          const text = (row: Pick<Row, "figures">): string => quantityOf(medianOf(figure)(row) ?? 0, figure);
          const head = Plot.text([figure], { ...place, frameAnchor: "top-right", dy: -18, className: "tick" });
          return [head, column(lines, "number", { ...place, text })];
        }),
      ];
    },
    axis,
    labelOf: (value) => quantityOf(value, "p50"),
    pitch: 23,
    right: 142,
    isWide: true,
  });
}

function medianOf(figure: Figure) {
  return ({ figures }: Pick<Row, "figures">): number | undefined => figures[figure]?.median;
}
