import type { Figure } from "../../figures.ts";
import { html, type Content, type Markup } from "../markup.ts";
import { inOrder, lookOf } from "../page/looks.ts";
import { axisUnitOf, quantityIntervalOf, quantityOf } from "../page/numbers.ts";
import { counts, verdictOf } from "../page/verdicts.ts";
import type { Row } from "../../results.ts";
import { linearAxis, type Axis } from "./axis.ts";
import { across, framed, numbersTable, pixels } from "./frame.ts";
import { grouped } from "./grouped.ts";

const FIGURES_OF_MEMORY = ["residentPerConnection", "heapPerConnection"] as const satisfies readonly Figure[];

const [DIVISOR, UNIT] = axisUnitOf("residentPerConnection");

const TOP = 20;
const ROW = 32;
const BAR = 9;

/** What an idle connection holds: resident in full colour, the heap's part of it below, hollow. */
export function memoryCharts(rows: readonly Row[]): readonly Markup[] {
  const measured = rows.filter(({ figures }) => FIGURES_OF_MEMORY.some((figure) => figures[figure] !== undefined));
  const scenarios = grouped(measured, (row) => row.scenario);
  return [...scenarios].map(([scenario, members], index) => {
    const values = members
      .filter(counts)
      .flatMap(({ figures }) => FIGURES_OF_MEMORY.map((figure) => (figures[figure]?.high ?? 0) / DIVISOR));
    const axis = linearAxis([0, ...values], [0, 100], 3);
    const cases = [...grouped(members, (row) => `${row.trial}\n${row.case}`).values()];
    return html`<section class="group">
      <h3>${scenario} <span class="measure">${UNIT}; filled: resident, hollow: heap</span></h3>
      <div class="panels">${cases.map((peers, place) => panelOf(peers, axis, `memory-${index}-${place}`))}</div>
      ${numbersOf(members)}
    </section>`;
  });
}

function panelOf(rows: readonly Row[], axis: Axis, id: string): Markup {
  const peers = inOrder(rows, (row) => row.peer);
  const height = TOP + peers.length * ROW;
  const name = rows[0]?.case ?? "";
  const words = peers.map((row) => `${row.peer}: ${counts(row) ? wordsOf(row).join(", ") : verdictOf(row)}`).join("; ");
  return html`<figure class="panel">
    <figcaption>${name}</figcaption>
    ${framed(
      { id, title: `Memory of an idle connection, ${name}`, description: `${words}.`, height, left: 98, right: 68 },
      html`${axis.ticks.map(({ value, label }) => {
        const x = across(axis.at(value));
        return html`<line class="grid" x1="${x}" x2="${x}" y1="${TOP - 2}" y2="${height}" />
          <text class="tick" x="${x}" y="${TOP - 8}" text-anchor="middle">${label}</text>`;
      })}
      ${peers.map((row, index) => barsOf(row, axis, TOP + index * ROW + ROW / 2))}`,
    )}
  </figure>`;
}

function barsOf(row: Row, axis: Axis, y: number): Markup {
  const { className, isHub } = lookOf(row.peer);
  return html`<g class="peer ${className}${isHub && " hub"}">
    <title>${row.peer}: ${counts(row) ? wordsOf(row).join(", ") : verdictOf(row)}</title>
    <text class="name" x="0" dx="-98" y="${y}" dy="4">${row.peer}</text>
    ${
      counts(row)
        ? FIGURES_OF_MEMORY.map((figure, index) => barOf(row, figure, axis, y - BAR - 1.5 + index * (BAR + 3)))
        : html`<text class="verdict ${row.verdict}" x="0" dx="6" y="${y}" dy="4">${verdictOf(row)}</text>`
    }
  </g>`;
}

function barOf(row: Row, figure: Figure, axis: Axis, top: number): Markup {
  const measured = row.figures[figure];
  if (measured === undefined) return html``;
  // Less than nothing is noise: the process has given back more than the connections took.
  const place = (value: number): string => across(axis.at(Math.max(0, value / DIVISOR)));
  const middle = pixels(top + BAR / 2);
  return html`<rect
      class="bar${figure === "heapPerConnection" && " hollow"}"
      x="0"
      width="${place(measured.median)}"
      y="${pixels(top)}"
      height="${BAR}"
    />
    <line class="interval" x1="${place(measured.low)}" x2="${place(measured.high)}" y1="${middle}" y2="${middle}" />
    <text class="number" x="100%" dx="62" y="${middle}" dy="4" text-anchor="end"
      >${quantityOf(measured.median, figure)}</text
    >`;
}

function wordsOf({ figures }: Row): readonly string[] {
  const { residentPerConnection: resident, heapPerConnection: heap } = figures;
  return [
    ...(resident === undefined ? [] : [`${quantityOf(resident.median, "residentPerConnection")} resident`]),
    ...(heap === undefined ? [] : [`${quantityOf(heap.median, "heapPerConnection")} of heap`]),
  ];
}

function numbersOf(rows: readonly Row[]): Markup {
  const cases = [...grouped(rows, (row) => `${row.trial}\n${row.case}`).values()];
  const sorted = cases.flatMap((members) => inOrder(members, (row) => row.peer));
  return numbersTable(["case", "peer", "resident", "heap", "verdict"], sorted.map(cellsOf));
}

function cellsOf(row: Row): readonly Content[] {
  const { residentPerConnection: resident, heapPerConnection: heap } = row.figures;
  return [
    row.case,
    row.peer,
    resident !== undefined && quantityIntervalOf(resident, "residentPerConnection"),
    heap !== undefined && quantityIntervalOf(heap, "heapPerConnection"),
    verdictOf(row),
  ];
}
