import * as Plot from "@observablehq/plot";
import type { Figure } from "../../figures.ts";
import type { Interval, Row } from "../../results.ts";
import { grouped } from "../../grouped.ts";
import { html, type Markup } from "../markup.ts";
import { axisUnitOf, quantityOf } from "../../numbers.ts";
import { coloured } from "../page/looks.ts";
import { byCase, numbersTable } from "../page/tables.ts";
import { counts } from "../../statistics/verdict.ts";
import { fittingAxis, type Axis } from "./axis.ts";
import { group } from "./chart.ts";
import { column, peerPanel, titled } from "./peer-panel.ts";

const KINDS = ["residentPerConnection", "heapPerConnection"] as const;
const [KIBIBYTE, UNIT] = axisUnitOf("residentPerConnection");

/** What an idle connection holds: resident memory above, and the heap's part of it below, hollow. */
export function memoryCharts(rows: readonly Row[]): readonly Markup[] {
  const measured = rows.filter(({ figures }) => KINDS.some((figure) => figures[figure]));
  return [...grouped(measured, (row) => row.scenario)].map(([scenario, members], index) => {
    const highs = members.filter(counts).flatMap(({ figures }) => KINDS.map((figure) => figures[figure]?.high ?? 0));
    const axis = fittingAxis([0, ...highs.map((bytes) => bytes / KIBIBYTE)], 3);
    const heading = html`<h3>${scenario} <span class="measure">${UNIT}; filled: resident, hollow: heap</span></h3>`;
    const panels = byCase(members).map((peers, place) => panelOf(peers, axis, `memory-${index}-${place}`));
    return group(heading, false, panels, numbersTable(members, ["case", "peer", ...KINDS, "verdict"]));
  });
}

function panelOf(rows: readonly Row[], axis: Axis, id: string): Markup {
  return peerPanel({
    id,
    caption: rows[0]?.case ?? "",
    rows,
    drawnOf: ({ peer, figures }) => {
      const numbers = KINDS.map((figure) => (figures[figure] ? quantityOf(figures[figure].median, figure) : "unknown"));
      return { peer, figures, numbers, words: `${numbers.join(" resident, ")} of heap` };
    },
    marksOf: (lines) =>
      KINDS.map((figure, index) => {
        const [y, dy, insetTop, insetBottom] = ["peer", 13 * index - 6.5, 5 + 13 * index, 18 - 13 * index] as const;
        const [x1, x2] = [kibibytes(figure, "low"), kibibytes(figure, "high")];
        const bar = { x1: 0, x2: kibibytes(figure, "median"), y, insetTop, insetBottom, title: titled };
        return [
          Plot.barX(lines, { ...bar, fill: index === 0 ? coloured : "none", stroke: coloured }),
          Plot.ruleY(lines, { x1, x2, y, dy, className: "interval" }),
          column(lines, "number", { text: ({ numbers }) => numbers[index], textAnchor: "end", dx: 62, dy }),
        ];
      }),
    axis,
    pitch: 32,
    right: 68,
  });
}

/** Less than nothing is noise: the process has given back more than the connections took. */
function kibibytes(figure: Figure, bound: keyof Interval) {
  return ({ figures }: Pick<Row, "figures">): number => Math.max(0, (figures[figure]?.[bound] ?? 0) / KIBIBYTE);
}
