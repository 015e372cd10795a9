import { CONTROL } from "../../command-line.ts";
import { FIGURES } from "../../figures.ts";
import type { Row } from "../../results.ts";
import { scenarios } from "../../scenarios/index.ts";
import { grouped } from "../grouped.ts";
import { html, type Markup } from "../markup.ts";
import { numberOf, quantityOf, ratioIntervalOf, ratioOf } from "../numbers.ts";
import { byCase, numbersTable } from "../page/tables.ts";
import { counts, verdictOf } from "../page/verdicts.ts";
import { fittingAxis, type Axis } from "./axis.ts";
import { barPanel, type Bar } from "./bars.ts";

/** For each scenario and case, what every peer costs, with that of the control as 1.00. */
export function ratioCharts(rows: readonly Row[]): readonly Markup[] {
  const compared = rows.filter((row) => row.load === undefined);
  return [...grouped(compared, (row) => row.scenario)].flatMap(([scenario, members], index) => {
    const [first] = members.filter((row) => row.verdict !== "control");
    if (first === undefined) return [];
    const figure = FIGURES[first.headline];
    // One axis for all cases of a scenario, so that they can be compared.
    const axis = fittingAxis(
      [0.8, 1, 1.25, ...members.map(barOf).flatMap((bar) => (bar ? [bar.low, bar.high] : []))],
      2,
    );
    const cases = byCase(members);
    return html`<section class="group${cases.length === 1 && " single"}">
      <div class="heading">
        <h3>${scenario}</h3>
        <p class="measure">${scenarios.find(({ name }) => name === scenario)?.description}</p>
        <p class="measure">${figure.title}; ${figure.better} is better</p>
      </div>
      <div class="panels">${cases.map((peers, place) => panelOf(peers, axis, `ratios-${index}-${place}`))}</div>
      ${numbersTable(members, ["case", "peer", "ratio", first.headline, "verdict"])}
    </section>`;
  });
}

function panelOf(rows: readonly Row[], axis: Axis, id: string): Markup {
  const control = rows.find((row) => row.verdict === "control");
  const cost = control?.figures[control.headline];
  return barPanel({
    id,
    title: `${rows[0]?.scenario}: ${rows[0]?.case}`,
    caption: rows[0]?.case ?? "",
    rows: rows.filter((row) => row !== control),
    axis,
    labelOf: (value) => (value === 1 ? "1.00" : numberOf(value)),
    right: 136,
    base: 1,
    barOf,
    note: html`<p class="note">1.00 = ${CONTROL}${cost && `, ${quantityOf(cost.median, control.headline)}`}</p>`,
  });
}

function barOf(row: Row): Bar | undefined {
  if (row.ratio === undefined || !counts(row)) return undefined;
  const [number, verdict] = [ratioOf(row.ratio.median), verdictOf(row)];
  return {
    peer: row.peer,
    ...row.ratio,
    number,
    verdict,
    words: `${number}, ${ratioIntervalOf(row.ratio)}: ${verdict}`,
  };
}
