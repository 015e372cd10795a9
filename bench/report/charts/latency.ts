import { CONTROL } from "../../command-line.ts";
import { html, type Markup } from "../markup.ts";
import { inOrder } from "../page/looks.ts";
import { percentOf, quantityOf, ratioIntervalOf, ratioOf } from "../page/numbers.ts";
import { verdictOf } from "../page/verdicts.ts";
import type { Row } from "../../results.ts";
import { numbersTable } from "./frame.ts";
import { grouped } from "./grouped.ts";
import { latencyAtLoad } from "./latency-at-load.ts";
import { latencyByLoad } from "./latency-by-load.ts";
import { PERCENTILES } from "./percentiles.ts";

/** Latency against load; where there is one load only, the peers against each other. */
export function latencyCharts(rows: readonly Row[]): readonly Markup[] {
  const measured = rows.filter((row) => row.load !== undefined && PERCENTILES.some((figure) => row.figures[figure]));
  const cases = grouped(measured, (row) => `${row.scenario}\n${row.trial}\n${row.case}`);
  return [...cases.values()].map((group, index) => {
    const peers = inOrder([...grouped(group, (row) => row.peer).values()], (members) => members[0]?.peer ?? CONTROL);
    const loads = new Set(group.map((row) => row.load));
    const id = `latency-${index}`;
    return html`<section class="group">
      <h3>${group[0]?.scenario} <span class="measure">${group[0]?.case}</span></h3>
      ${loads.size > 1 ? latencyByLoad(peers, id) : latencyAtLoad(peers.flat(), id)} ${numbersOf(peers.flat())}
    </section>`;
  });
}

function numbersOf(rows: readonly Row[]): Markup {
  return numbersTable(
    ["peer", "load", ...PERCENTILES, "ratio", "95 % interval", "verdict"],
    rows.map((row) => [
      row.peer,
      percentOf(row.load ?? 0),
      ...PERCENTILES.map((figure) => {
        const measured = row.figures[figure];
        return measured !== undefined && quantityOf(measured.median, figure);
      }),
      row.ratio !== undefined && ratioOf(row.ratio.median),
      row.ratio !== undefined && ratioIntervalOf(row.ratio),
      verdictOf(row),
    ]),
  );
}
