import * as Plot from "@observablehq/plot";
import { FIGURES, type Figure } from "../../figures.ts";
import type { Row } from "../../results.ts";
import { grouped } from "../grouped.ts";
import { html, type Markup } from "../markup.ts";
import { axisUnitOf, numberOf, quantityOf } from "../numbers.ts";
import { coloured, inOrder, MARK } from "../page/looks.ts";
import { numbersTable } from "../page/tables.ts";
import { counts } from "../page/verdicts.ts";
import { fittingAxis } from "./axis.ts";
import { panel } from "./chart.ts";
import { column, peerLines, titled } from "./peer-lines.ts";

const SHOWN = ["writes", "eventLoopDelay", "gc", "peakResident"] as const satisfies readonly Figure[];

/** What stands behind the speed: for each figure and peer one mark for each case. */
export function stripCharts(rows: readonly Row[]): readonly Markup[] {
  const measured = rows.filter(
    (row) => row.phase === "capacity" && counts(row) && SHOWN.some((figure) => row.figures[figure] !== undefined),
  );
  if (measured.length === 0) return [];
  return [
    html`<section class="group">
      <div class="panels">${SHOWN.map((figure) => panelOf(figure, measured))}</div>
      ${numbersTable(measured, ["scenario", "case", "peer", ...SHOWN])}
    </section>`,
  ];
}

function panelOf(figure: Figure, rows: readonly Row[]): Markup {
  const [divisor, unit] = axisUnitOf(figure);
  const dots = rows.flatMap(({ peer, scenario, case: name, figures }) => {
    const median = figures[figure]?.median;
    if (median === undefined) return [];
    return [{ peer, value: median / divisor, words: `${scenario}, ${name}: ${quantityOf(median, figure)}` }];
  });
  if (dots.length === 0) return html``;
  const peers = inOrder([...grouped(dots, ({ peer }) => peer)].map(([peer, own]) => ({ peer, words: rangeOf(own) })));
  const caption = [FIGURES[figure].title, unit].filter((word) => word !== "").join(", ");
  const chart = peerLines({
    id: `strip-${figure}`,
    title: caption,
    lines: peers,
    axis: fittingAxis(
      dots.map(({ value }) => value),
      3,
    ),
    pitch: 19,
    right: 92,
    marks: [
      Plot.dot(dots, { x: "value", y: "peer", ...MARK, stroke: coloured, title: titled, className: "dot" }),
      ...column(peers, "range", { text: "words", frameAnchor: "right", dx: 10 }),
    ],
  });
  return panel(caption, chart);
}

/** In the unit of the axis. */
function rangeOf(dots: readonly { readonly value: number }[]): string {
  const values = dots.map(({ value }) => value);
  const [low, high] = [numberOf(Math.min(...values)), numberOf(Math.max(...values))];
  return low === high ? low : `${low} – ${high}`;
}
