import * as Plot from "@observablehq/plot";
import { FIGURES, type Figure } from "../../figures.ts";
import type { Row } from "../../results.ts";
import { grouped } from "../../grouped.ts";
import type { Markup } from "../markup.ts";
import { axisUnitOf, numberOf, quantityOf } from "../../numbers.ts";
import { coloured, MARK } from "../page/looks.ts";
import { numbersTable } from "../page/tables.ts";
import { counts } from "../../statistics/verdict.ts";
import { fittingAxis } from "./axis.ts";
import { group } from "./chart.ts";
import { column, peerPanel, titled } from "./peer-panel.ts";

const SHOWN = ["writes", "eventLoopDelay", "gc", "peakResident"] as const satisfies readonly Figure[];

/** What stands behind the speed: for each figure and peer one mark for each case, and the range of them. */
export function stripCharts(all: readonly Row[]): readonly Markup[] {
  const valid = all.filter((row) => row.phase === "capacity" && counts(row));
  const rows = valid.filter(({ figures }) => SHOWN.some((figure) => figures[figure]));
  if (rows.length === 0) return [];
  const shown = SHOWN.filter((figure) => rows.some((row) => row.figures[figure]));
  const panels = shown.map((figure) => panelOf(figure, rows));
  return [group("", false, panels, numbersTable(rows, ["scenario", "case", "peer", ...shown]))];
}

function panelOf(figure: Figure, all: readonly Row[]): Markup {
  const rows = all.filter(({ figures }) => figures[figure]);
  const [divisor, unit] = axisUnitOf(figure);
  const valueOf = ({ figures }: Row): number => (figures[figure]?.median ?? 0) / divisor;
  const byPeer = grouped(rows, ({ peer }) => peer);
  const dots = rows.map((row) => {
    const { peer, scenario, case: name } = row;
    return { peer, value: valueOf(row), words: `${scenario}, ${name}: ${quantityOf(valueOf(row) * divisor, figure)}` };
  });
  return peerPanel({
    id: `strip-${figure}`,
    caption: FIGURES[figure].title + (unit && `, ${unit}`),
    rows: [...byPeer.values()].flatMap((own) => own.slice(0, 1)),
    drawnOf: ({ peer }) => {
      const values = byPeer.get(peer)?.map(valueOf) ?? [];
      const [low, high] = [numberOf(Math.min(...values)), numberOf(Math.max(...values))];
      return { peer, words: low === high ? low : `${low} – ${high}` };
    },
    marksOf: (ranges) => [
      Plot.dot(dots, { x: "value", y: "peer", ...MARK, stroke: coloured, title: titled, className: "dot" }),
      column(ranges, "range", { text: "words", dx: 10 }),
    ],
    axis: fittingAxis(rows.map(valueOf), 3),
    pitch: 19,
    right: 92,
  });
}
