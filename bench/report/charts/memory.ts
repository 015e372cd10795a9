import type { Figure } from "../../figures.ts";
import type { Row } from "../../results.ts";
import { grouped } from "../grouped.ts";
import { html, type Markup } from "../markup.ts";
import { axisUnitOf, quantityIntervalOf, quantityOf } from "../numbers.ts";
import { byCase, numbersTable } from "../page/tables.ts";
import { counts } from "../page/verdicts.ts";
import { fittingAxis, type Axis } from "./axis.ts";
import { barPanel, type Bar } from "./bars.ts";

const KINDS = { residentPerConnection: "resident memory", heapPerConnection: "heap" } as const;
const FIGURES_OF_MEMORY = Object.keys(KINDS) as (keyof typeof KINDS)[];

const [DIVISOR, UNIT] = axisUnitOf("residentPerConnection");

/** What an idle connection holds: resident memory, and the heap's part of it on the same scale. */
export function memoryCharts(rows: readonly Row[]): readonly Markup[] {
  const measured = rows.filter(({ figures }) => FIGURES_OF_MEMORY.some((figure) => figures[figure] !== undefined));
  return [...grouped(measured, (row) => row.scenario)].map(([scenario, members], index) => {
    const bars = FIGURES_OF_MEMORY.flatMap((figure) => members.map((row) => barOf(row, figure)?.high ?? 0));
    const axis = fittingAxis([0, ...bars], 3);
    const panels = byCase(members).flatMap((peers, place) =>
      FIGURES_OF_MEMORY.map((figure) => panelOf(peers, figure, axis, `memory-${index}-${place}-${figure}`)),
    );
    return html`<section class="group">
      <h3>${scenario}</h3>
      <div class="panels">${panels}</div>
      ${numbersTable(members, ["case", "peer", ...FIGURES_OF_MEMORY, "verdict"])}
    </section>`;
  });
}

function panelOf(rows: readonly Row[], figure: keyof typeof KINDS, axis: Axis, id: string): Markup {
  const caption = `${rows[0]?.case}: ${KINDS[figure]}, ${UNIT}`;
  return barPanel({ id, title: caption, caption, rows, axis, right: 68, base: 0, barOf: (row) => barOf(row, figure) });
}

/** Less than nothing is noise: the process has given back more than the connections took. */
function barOf(row: Row, figure: Figure): Bar | undefined {
  const measured = row.figures[figure];
  if (measured === undefined || !counts(row)) return undefined;
  const [low = 0, median = 0, high = 0] = [measured.low, measured.median, measured.high].map((bytes) =>
    Math.max(0, bytes / DIVISOR),
  );
  const words = quantityIntervalOf(measured, figure);
  return { peer: row.peer, low, median, high, words, number: quantityOf(measured.median, figure), verdict: "" };
}
