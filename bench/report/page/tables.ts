import { FIGURES, type Figure } from "../../figures.ts";
import type { Gate, Interval, Row } from "../../results.ts";
import { grouped } from "../grouped.ts";
import { html, type Content, type Markup } from "../markup.ts";
import { countOf, percentOf, quantityOf, rangeOf, ratioIntervalOf, ratioOf } from "../numbers.ts";
import { inOrder } from "./looks.ts";
import { verdictOf, violationsOf } from "./verdicts.ts";

/** What a table can tell of a row, beside its figures. */
const COLUMNS: Readonly<Record<Told, (row: Row) => Content>> = {
  scenario: (row) => row.scenario,
  case: (row) => row.case,
  load: (row) => row.load !== undefined && percentOf(row.load),
  peer: (row) => row.peer,
  ratio: ({ ratio }) => ratioCell(ratio),
  verdict: (row) => html`<span class="${row.verdict}">${verdictOf(row)}</span>`,
  "to bare writes": ({ toFloor }) => ratioCell(toFloor),
  slices: ({ slices, disturbed }) => (disturbed === 0 ? slices : `${slices} (${disturbed} disturbed)`),
  remarks: ({ violations, remarks }) => [...(violations ? [violationsOf(violations)] : []), ...remarks].join("; "),
};

type Told = "scenario" | "case" | "load" | "peer" | "ratio" | "verdict" | "to bare writes" | "slices" | "remarks";
type Column = Told | Figure;

/** The numbers of a chart, for people who cannot see it, or want them exactly. */
export function numbersTable(rows: readonly Row[], columns: readonly Column[]): Markup {
  return html`<details class="numbers">
    <summary>The numbers</summary>
    ${rowTable(rows, columns, "The numbers of this chart")}
  </details>`;
}

/** Everything, scenario by scenario, with the figures that were measured there. */
export function resultTables(rows: readonly Row[]): readonly Markup[] {
  return [...grouped(rows, (row) => row.scenario)].map(([scenario, members]) => {
    const all = Object.keys(FIGURES) as Figure[];
    const figures = all.filter((figure) => members.some((row) => row.figures[figure] !== undefined));
    const columns = [
      "case",
      "load",
      "peer",
      "ratio",
      "verdict",
      ...figures,
      "to bare writes",
      "slices",
      "remarks",
    ] as const;
    return html`<details class="group">
      <summary>${scenario} <span class="measure">${countOf(members.length)} results</span></summary>
      ${rowTable(members, columns, `All results of ${scenario}`)}
    </details>`;
  });
}

/** What `--gate` holds a run to. */
export function gatesTable(gates: readonly Gate[]): Markup {
  const rows = gates.map(({ name, limit, measured, passed }) => {
    const [kind, result] =
      passed === undefined ? ["", "not measured"] : passed ? ["better", "✓ passed"] : ["void", "✗ failed"];
    const median = measured && ratioOf(measured.median);
    return [
      name,
      ratioOf(limit),
      median,
      measured && ratioIntervalOf(measured),
      html`<span class="${kind}">${result}</span>`,
    ];
  });
  return table(["gate", "at most", "measured", "95 % interval", "result"], rows, "Gates");
}

/** The rows of each case and load together, with the peers in their order. */
export function byCase(rows: readonly Row[]): readonly (readonly Row[])[] {
  const cases = grouped(rows, ({ scenario, trial, case: name, load }) => JSON.stringify([scenario, trial, name, load]));
  return [...cases.values()].map((members) => inOrder(members));
}

function rowTable(rows: readonly Row[], columns: readonly Column[], name: string): Markup {
  const heads = columns.map((column) => (isFigure(column) ? FIGURES[column].title : column));
  const cells = byCase(rows)
    .flat()
    .map((row) => columns.map((column) => cellOf(row, column)));
  return table(heads, cells, name);
}

function cellOf(row: Row, column: Column): Content {
  if (!isFigure(column)) return COLUMNS[column](row);
  const measured = row.figures[column];
  return measured && html`${quantityOf(measured.median, column)}<small>${rangeOf(measured, column)}</small>`;
}

function isFigure(column: Column): column is Figure {
  return column in FIGURES;
}

function ratioCell(ratio: Interval | undefined): Content {
  return ratio && html`${ratioOf(ratio.median)}<small>${ratioIntervalOf(ratio)}</small>`;
}

/** A table that scrolls by itself where it is wider than the page. */
function table(head: readonly string[], rows: readonly (readonly Content[])[], name: string): Markup {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${name}">
    <table>
      <thead>
        <tr>
          ${head.map((title) => html`<th scope="col">${title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (cells) =>
            html`<tr>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
