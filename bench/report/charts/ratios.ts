import { CONTROL } from "../../command-line.ts";
import { FIGURES } from "../../figures.ts";
import { scenarios as known } from "../../scenarios/index.ts";
import { html, type Markup } from "../markup.ts";
import { inOrder, lookOf } from "../page/looks.ts";
import { quantityIntervalOf, quantityOf, ratioIntervalOf, ratioOf } from "../page/numbers.ts";
import { counts, verdictOf } from "../page/verdicts.ts";
import type { Row } from "../../results.ts";
import { fittingAxis, type Axis } from "./axis.ts";
import { across, framed, numbersTable, pixels } from "./frame.ts";
import { grouped } from "./grouped.ts";

const TOP = 20;
const ROW = 21;
const BAR = 13;

/** For each scenario and case, what every peer costs, with that of the control as 1.00. */
export function ratioCharts(rows: readonly Row[]): readonly Markup[] {
  const compared = rows.filter((row) => row.load === undefined && row.verdict !== "control");
  const controls = rows.filter((row) => row.load === undefined && row.verdict === "control");
  const scenarios = grouped(compared, (row) => row.scenario);
  return [...scenarios].map(([scenario, members], index) => {
    const axis = axisOf(members);
    const cases = [...grouped(members, (row) => `${row.trial}\n${row.case}`).values()];
    const panels = cases.map((peers, place) => panelOf(peers, controls, axis, `ratios-${index}-${place}`));
    const figure = FIGURES[members[0]?.headline ?? "cpu"];
    const description = known.find(({ name }) => name === scenario)?.description;
    return html`<section class="group${cases.length === 1 && " single"}">
      <div class="heading">
        <h3>${scenario}</h3>
        ${description !== undefined && html`<p class="measure">${description}</p>`}
        <p class="measure">${figure.title}; ${figure.better} is better</p>
      </div>
      <div class="panels">${panels}</div>
      ${numbersOf([...members, ...controls.filter((row) => row.scenario === scenario)])}
    </section>`;
  });
}

/** One for all cases of a scenario, so that they can be compared. */
function axisOf(rows: readonly Row[]): Axis {
  const drawn = rows.filter(counts).flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio.low, ratio.high]));
  return fittingAxis([0.8, 1, 1.25, ...drawn], [0, 100], 2);
}

function panelOf(rows: readonly Row[], controls: readonly Row[], axis: Axis, id: string): Markup {
  const [first] = rows;
  if (first === undefined) return html``;
  const peers = inOrder(rows, (row) => row.peer);
  const height = TOP + peers.length * ROW;
  const title = `${first.scenario}: ${first.case}`;
  const words = peers.map((row) => `${row.peer} ${textOf(row)}`).join("; ");
  const control = controls.find(({ trial, case: name }) => trial === first.trial && name === first.case);
  const cost = control?.figures[first.headline];
  return html`<figure class="panel">
    <figcaption>${first.case}</figcaption>
    ${framed(
      { id, title, description: `Ratio to the control: ${words}.`, height, left: 98, right: 134 },
      html`${axis.ticks.filter(({ label }) => label !== "").map((tick) => tickOf(tick.value, tick.label, axis, height))}
        <line class="unity" x1="${across(axis.at(1))}" x2="${across(axis.at(1))}" y1="${TOP - 4}" y2="${height}" />
        ${peers.map((row, index) => barOf(row, axis, TOP + index * ROW + ROW / 2))}`,
    )}
    <p class="note">1.00 = ${CONTROL}${cost !== undefined && `, ${quantityOf(cost.median, first.headline)}`}</p>
  </figure>`;
}

function tickOf(value: number, label: string, axis: Axis, height: number): Markup {
  const x = across(axis.at(value));
  const text = value === 1 ? "1.00" : label;
  return html`<line class="grid" x1="${x}" x2="${x}" y1="${TOP - 2}" y2="${height}" />
    <text class="tick" x="${x}" y="${TOP - 8}" text-anchor="middle">${text}</text>`;
}

function barOf(row: Row, axis: Axis, y: number): Markup {
  const { className, isHub } = lookOf(row.peer);
  const { ratio } = row;
  const text = html`<text class="name" x="0" dx="-98" y="${y}" dy="4">${row.peer}</text>`;
  if (ratio === undefined || !counts(row)) {
    return html`<g class="peer ${className}${isHub && " hub"}">
      <title>${row.peer}: ${verdictOf(row)}</title>
      ${text}
      <text class="verdict ${row.verdict}" x="0" dx="8" y="${y}" dy="4">${verdictOf(row)}</text>
    </g>`;
  }
  const [from, to] = [axis.at(1), axis.at(ratio.median)].toSorted((a, b) => a - b) as [number, number];
  return html`<g class="peer ${className}${isHub && " hub"}">
    <title>${row.peer}: ${textOf(row)}</title>
    ${text}
    <rect class="bar" x="${across(from)}" width="${across(to - from)}" y="${pixels(y - BAR / 2)}" height="${BAR}" />
    <line class="interval" x1="${across(axis.at(ratio.low))}" x2="${across(axis.at(ratio.high))}" y1="${y}" y2="${y}" />
    <text class="number" x="100%" dx="44" y="${y}" dy="4" text-anchor="end">${ratioOf(ratio.median)}</text>
    <text class="verdict ${row.verdict}" x="100%" dx="51" y="${y}" dy="4">${verdictOf(row)}</text>
  </g>`;
}

/** `0.064, 0.061–0.068: 15.6× cheaper` */
function textOf(row: Row): string {
  if (row.ratio === undefined || !counts(row)) return verdictOf(row);
  return `${ratioOf(row.ratio.median)}, ${ratioIntervalOf(row.ratio)}: ${verdictOf(row)}`;
}

function numbersOf(rows: readonly Row[]): Markup {
  const cases = [...grouped(rows, (row) => `${row.trial}\n${row.case}`).values()];
  return numbersTable(
    ["case", "peer", "ratio", "95 % interval", "measured", "verdict"],
    cases.flatMap((members) =>
      inOrder(members, (row) => row.peer).map((row) => {
        const measured = row.figures[row.headline];
        return [
          row.case,
          row.peer,
          row.ratio !== undefined && ratioOf(row.ratio.median),
          row.ratio !== undefined && ratioIntervalOf(row.ratio),
          measured !== undefined && quantityIntervalOf(measured, row.headline),
          verdictOf(row),
        ];
      }),
    ),
  );
}
