import { html, type Markup } from "../markup.ts";
import { lookOf } from "../page/looks.ts";
import { percentOf, quantityOf } from "../page/numbers.ts";
import { counts, verdictOf } from "../page/verdicts.ts";
import type { Row } from "../../results.ts";
import { logAxis, type Axis } from "./axis.ts";
import { across, around, framed, pixels } from "./frame.ts";
import { PERCENTILES, percentilesOf } from "./percentiles.ts";

const TOP = 20;
const ROW = 23;

/** Told apart without colours. */
const MARKS = {
  p50: html`<circle class="mark ring" r="4" />`,
  p99: html`<circle class="mark" r="5" />`,
  "p99.9": html`<line class="stroke" x1="0" x2="0" y1="-6" y2="6" />`,
  max: html`<line class="stroke" x1="0" x2="0" y1="-3" y2="3" />`,
} as const;

/** A line for each peer, from its median to its maximum. */
export function latencyAtLoad(rows: readonly Row[], id: string): Markup {
  const values = rows
    .filter(counts)
    .flatMap(({ figures }) => PERCENTILES.map((figure) => figures[figure]?.median ?? 0));
  const axis = logAxis(values.some((value) => value > 0) ? values : [1, 1000], [0, 100], 2);
  const load = percentOf(rows[0]?.load ?? 0);
  const height = TOP + rows.length * ROW;
  const words = rows.map((row) => `${row.peer}: ${counts(row) ? percentilesOf(row) : verdictOf(row)}`);
  return html`<figure class="panel lone">
    <figcaption>At ${load} of what the control can carry: ring p50, dot p99, strokes p99.9 and maximum</figcaption>
    ${framed(
      { id, title: `Latency at ${load}`, description: `${words.join("; ")}.`, height, left: 98, right: 142 },
      html`${axis.ticks
          .filter((tick) => tick.label !== "")
          .map(({ value }) => {
            const x = across(axis.at(value));
            return html`<line class="grid" x1="${x}" x2="${x}" y1="${TOP - 2}" y2="${height}" />
              <text class="tick" x="${x}" y="${TOP - 8}" text-anchor="middle">${quantityOf(value, "p50")}</text>`;
          })}
        <text class="tick" x="100%" dx="70" y="${TOP - 8}" text-anchor="end">p50</text>
        <text class="tick" x="100%" dx="138" y="${TOP - 8}" text-anchor="end">p99</text>
        ${rows.map((row, index) => lineOf(row, axis, TOP + index * ROW + ROW / 2))}`,
    )}
  </figure>`;
}

function lineOf(row: Row, axis: Axis, y: number): Markup {
  const { className, isHub } = lookOf(row.peer);
  const found = PERCENTILES.flatMap((figure) => {
    const measured = row.figures[figure];
    return measured === undefined ? [] : [{ figure, x: axis.at(measured.median), value: measured.median }];
  });
  const [first, last] = [found[0], found.at(-1)];
  const name = html`<text class="name" x="0" dx="-98" y="${pixels(y)}" dy="4">${row.peer}</text>`;
  if (!counts(row) || first === undefined || last === undefined) {
    return html`<g class="peer ${className}${isHub && " hub"}">
      ${name}
      <text class="verdict ${row.verdict}" x="0" dx="8" y="${pixels(y)}" dy="4">${verdictOf(row)}</text>
    </g>`;
  }
  return html`<g class="peer ${className}${isHub && " hub"}">
    <title>${row.peer}: ${percentilesOf(row)}</title>
    ${name}
    <line class="leader" x1="${across(first.x)}" x2="${across(last.x)}" y1="${pixels(y)}" y2="${pixels(y)}" />
    ${found.toReversed().map(({ figure, x }) => around(x, y, MARKS[figure]))}
    ${found
      .filter(({ figure }) => figure === "p50" || figure === "p99")
      .map(
        ({ figure, value }) =>
          html`<text
            class="number"
            x="100%"
            dx="${figure === "p50" ? 70 : 138}"
            y="${pixels(y)}"
            dy="4"
            text-anchor="end"
            >${quantityOf(value, figure)}</text
          >`,
      )}
  </g>`;
}
