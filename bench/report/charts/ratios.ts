import * as Plot from "@observablehq/plot";
import { CONTROL } from "../../command-line.ts";
import { FIGURES } from "../../figures.ts";
import type { Row } from "../../results.ts";
import { scenarios } from "../../scenarios/index.ts";
import { grouped } from "../../grouped.ts";
import { html, type Markup } from "../markup.ts";
import { intervalOf, numberOf, quantityOf, ratioOf } from "../../numbers.ts";
import { coloured } from "../page/looks.ts";
import { byCase, numbersTable } from "../page/tables.ts";
import { verdictOf } from "../page/verdicts.ts";
import { counts } from "../../statistics/verdict.ts";
import { fittingAxis, type Axis } from "./axis.ts";
import { group } from "./chart.ts";
import { column, peerPanel, titled } from "./peer-panel.ts";

/** For each scenario and case, what every peer costs, with that of the control as 1.00. */
export function ratioCharts(rows: readonly Row[]): readonly Markup[] {
  const compared = rows.filter((row) => row.load === undefined);
  return [...grouped(compared, (row) => row.scenario)].flatMap(([scenario, members], index) => {
    const headline = members.find((row) => row.verdict !== "control")?.headline;
    if (headline === undefined) return [];
    const { title, better } = FIGURES[headline];
    // One axis for all cases of a scenario, so that they can be compared.
    const bounds = members.filter(counts).flatMap(({ ratio }) => (ratio ? [ratio.low, ratio.high] : []));
    const axis = fittingAxis([0.8, 1, 1.25, ...bounds], 2);
    const heading = html`<h3>${scenario}</h3>
      <p class="measure">${scenarios.find(({ name }) => name === scenario)?.description}</p>
      <p class="measure">${title}; ${better} is better</p>`;
    const panels = byCase(members).map((peers, place) => panelOf(peers, axis, `ratios-${index}-${place}`));
    return group(heading, false, panels, numbersTable(members, ["case", "peer", "ratio", headline, "verdict"]));
  });
}

function panelOf(rows: readonly Row[], axis: Axis, id: string): Markup {
  const control = rows.find((row) => row.verdict === "control");
  const cost = control?.figures[control.headline];
  return peerPanel({
    id,
    caption: rows[0]?.case ?? "",
    rows: rows.filter((row) => row !== control),
    drawnOf: ({ peer, ratio, ...row }) => {
      if (ratio === undefined) return undefined;
      const [number, verdict] = [ratioOf(ratio.median), verdictOf({ peer, ratio, ...row })];
      return { peer, ...ratio, number, verdict, words: `${number}, ${intervalOf(ratio)}: ${verdict}` };
    },
    marksOf: (bars) => [
      Plot.barX(bars, { x1: 1, x2: "median", y: "peer", fill: coloured, title: titled, insetTop: 4, insetBottom: 4 }),
      Plot.ruleY(bars, { x1: "low", x2: "high", y: "peer", className: "interval" }),
      Plot.ruleX([1], { className: "unity", insetTop: -4 }),
      column(bars, "number", { text: "number", textAnchor: "end", dx: 44 }),
      column(bars, "verdict", { text: "verdict", dx: 51 }),
    ],
    axis,
    labelOf: (value) => (value === 1 ? "1.00" : numberOf(value)),
    pitch: 21,
    right: 136,
    note: html`<p class="note">1.00 = ${CONTROL}${cost && `, ${quantityOf(cost.median, control.headline)}`}</p>`,
  });
}
