import { violationsOf } from "../../facts.ts";
import { FIGURES, type Figure } from "../../figures.ts";
import type { Gate, Interval, Row } from "../../results.ts";
import { grouped } from "../../grouped.ts";
import { html, type Content, type Markup } from "../markup.ts";
import { countOf, intervalOf, percentOf, quantityOf, ratioOf } from "../../numbers.ts";
import { inOrder } from "./looks.ts";
import { verdictOf } from "./verdicts.ts";

/** What a table can tell of a row, beside its figures. */
type Told = "scenario" | "case" | "load" | "peer" | "ratio" | "verdict" | "to bare writes" | "slices" | "remarks";
export type Column = Told | Figure;

const COLUMNS: Readonly<Record<Told, (row: Row) => Content>> = {
  scenario: (row) => row.scenario,
  case: (row) => row.case,
  load: (row) => row.load && percentOf(row.load),
  peer: (row) => row.peer,
  ratio: (row) => measuredCell(row.ratio),
  verdict: (row) => html`<span class="${row.verdict}">${verdictOf(row)}</span>`,
  "to bare writes": (row) => measuredCell(row.toFloor),
  slices: ({ slices, disturbed }) => (disturbed === 0 ? slices : `${slices} (${disturbed} disturbed)`),
  remarks: ({ violations, remarks }) => [...(violations ? [violationsOf(violations)] : []), ...remarks].join("; "),
};

/** What stands before the figures where everything is told, and after them. */
const FIRST: readonly Column[] = ["case", "load", "peer", "ratio", "verdict"];
const LAST: readonly Column[] = ["to bare writes", "slices", "remarks"];

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
    const figures = (Object.keys(FIGURES) as Figure[]).filter((figure) => members.some((row) => row.figures[figure]));
    return html`<details class="group">
      <summary>${scenario} <span class="measure">${countOf(members.length)} results</span></summary>
      ${rowTable(members, [...FIRST, ...figures, ...LAST], `All results of ${scenario}`)}
    </details>`;
  });
}

/** What `--gate` holds a run to. */
export function gatesTable(gates: readonly Gate[]): Markup {
  const results = gates.map(({ name, limit, measured, passed }) => {
    const result = passed === undefined ? "not measured" : passed ? "✓ passed" : "✗ failed";
    const verdict = html`<span class="${passed === undefined ? "" : passed ? "better" : "void"}">${result}</span>`;
    return [name, ratioOf(limit), measured && ratioOf(measured.median), measured && intervalOf(measured), verdict];
  });
  return table(["gate", "at most", "measured", "95 % interval", "result"], results, "Gates");
}

/** The rows of each case and load together, with the peers in their order. */
export function byCase(rows: readonly Row[]): readonly (readonly Row[])[] {
  const cases = grouped(rows, ({ scenario, trial, case: name, load }) => JSON.stringify([scenario, trial, name, load]));
  return [...cases.values()].map((members) => inOrder(members));
}

function rowTable(rows: readonly Row[], columns: readonly Column[], name: string): Markup {
  const heads = columns.map((column) => (isFigure(column) ? FIGURES[column].title : column));
  const cellOf = (row: Row, column: Column): Content =>
    isFigure(column) ? measuredCell(row.figures[column], (value) => quantityOf(value, column)) : COLUMNS[column](row);
  const cells = byCase(rows).flatMap((members) => members.map((row) => columns.map((column) => cellOf(row, column))));
  return table(heads, cells, name);
}

function isFigure(column: Column): column is Figure {
  return column in FIGURES;
}

function measuredCell(measured: Interval | undefined, textOf = ratioOf): Content {
  return measured && html`${textOf(measured.median)}<small>${intervalOf(measured, textOf)}</small>`;
}

/** A table that scrolls by itself where it is wider than the page. */
function table(heads: readonly string[], rows: readonly (readonly Content[])[], name: string): Markup {
  const head = heads.map((title) => html`<th scope="col">${title}</th>`);
  const lines = [head, ...rows.map((cells) => cells.map((cell) => html`<td>${cell}</td>`))];
  const [first, ...others] = lines.map(
    (cells) =>
      html`<tr>
        ${cells}
      </tr>`,
  );
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${name}">
    <table>
      <thead>
        ${first}
      </thead>
      <tbody>
        ${others}
      </tbody>
    </table>
  </div>`;
}
