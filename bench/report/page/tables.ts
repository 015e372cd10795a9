import { FIGURES, type Figure } from "../../figures.ts";
import { grouped } from "../charts/grouped.ts";
import { table } from "../charts/frame.ts";
import { html, type Content, type Markup } from "../markup.ts";
import type { Gate, Interval, Row } from "../../results.ts";
import { inOrder } from "./looks.ts";
import { countOf, percentOf, quantityOf, ratioIntervalOf, ratioOf } from "./numbers.ts";
import { verdictOf, violationsOf } from "./verdicts.ts";

const ALL_FIGURES: readonly Figure[] = Object.keys(FIGURES) as Figure[];

/** Everything, scenario by scenario, with the figures that were measured there. */
export function rowTables(rows: readonly Row[]): readonly Markup[] {
  return [...grouped(rows, (row) => row.scenario)].map(([scenario, members]) => {
    const figures = ALL_FIGURES.filter((figure) => members.some((row) => row.figures[figure] !== undefined));
    const head = ["case", "load", "peer", "ratio", "verdict", ...figures.map((figure) => FIGURES[figure].title)];
    const cases = [...grouped(members, (row) => `${row.trial}\n${row.case}\n${row.load}`).values()];
    const sorted = cases.flatMap((peers) => inOrder(peers, (row) => row.peer));
    return html`<details class="group">
      <summary>${scenario} <span class="measure">${countOf(members.length)} results</span></summary>
      ${table(
        [...head, "to bare writes", "slices", "remarks"],
        sorted.map((row) => cellsOf(row, figures)),
        `All results of ${scenario}`,
      )}
    </details>`;
  });
}

function cellsOf(row: Row, figures: readonly Figure[]): readonly Content[] {
  const { ratio, toFloor, violations, remarks } = row;
  const wrong = violations === undefined ? [] : [violationsOf(violations)];
  return [
    row.case,
    row.load !== undefined && percentOf(row.load),
    row.peer,
    ratio !== undefined && stacked(ratioOf(ratio.median), ratioIntervalOf(ratio)),
    html`<span class="verdict ${row.verdict}">${verdictOf(row)}</span>`,
    ...figures.map((figure) => measuredCell(row.figures[figure], figure)),
    toFloor !== undefined && stacked(ratioOf(toFloor.median), ratioIntervalOf(toFloor)),
    row.disturbed === 0 ? row.slices : `${row.slices} (${row.disturbed} disturbed)`,
    [...wrong, ...remarks].join("; "),
  ];
}

function measuredCell(measured: Interval | undefined, figure: Figure): Content {
  if (measured === undefined) return undefined;
  const { median, low, high } = measured;
  return stacked(quantityOf(median, figure), `${quantityOf(low, figure)}–${quantityOf(high, figure)}`);
}

function stacked(value: string, interval: string): Markup {
  return html`${value}<small>${interval}</small>`;
}

/** What `--gate` holds a run to. */
export function gatesTable(gates: readonly Gate[]): Markup {
  return table(
    ["gate", "at most", "measured", "95 % interval", "result"],
    gates.map(({ name, limit, measured, passed }) => [
      name,
      ratioOf(limit),
      measured !== undefined && ratioOf(measured.median),
      measured !== undefined && ratioIntervalOf(measured),
      resultOf(passed),
    ]),
    "Gates",
  );
}

function resultOf(passed: boolean | undefined): Markup {
  if (passed === undefined) return html`<span class="verdict">not measured</span>`;
  return passed ? html`<span class="verdict better">✓ passed</span>` : html`<span class="verdict void">✗ failed</span>`;
}
