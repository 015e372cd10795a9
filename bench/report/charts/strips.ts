import { CONTROL } from "../../command-line.ts";
import { FIGURES, type Figure } from "../../figures.ts";
import { html, type Content, type Markup } from "../markup.ts";
import { inOrder, lookOf } from "../page/looks.ts";
import { axisUnitOf, numberOf, quantityIntervalOf, quantityOf } from "../page/numbers.ts";
import { counts } from "../page/verdicts.ts";
import type { Interval, Row } from "../../results.ts";
import { fittingAxis, type Axis } from "./axis.ts";
import { across, around, framed, numbersTable, pixels } from "./frame.ts";
import { grouped } from "./grouped.ts";

const SHOWN: readonly Figure[] = ["writes", "eventLoopDelay", "gc", "peakResident"];

const TOP = 20;
const ROW = 19;

interface Dot {
  readonly row: Row;
  readonly measured: Interval;
}

/** What stands behind the speed: for each figure and peer one mark for each case. */
export function stripCharts(rows: readonly Row[]): readonly Markup[] {
  const measured = rows.filter((row) => row.phase === "capacity" && counts(row));
  const panels = SHOWN.flatMap((figure) => {
    const dots = measured.flatMap((row) => {
      const value = row.figures[figure];
      return value === undefined ? [] : [{ row, measured: value }];
    });
    return dots.length === 0 ? [] : [panelOf(figure, dots)];
  });
  if (panels.length === 0) return [];
  return [
    html`<section class="group">
      <div class="panels">${panels}</div>
      ${numbersOf(measured)}
    </section>`,
  ];
}

function panelOf(figure: Figure, dots: readonly Dot[]): Markup {
  const [divisor, unit] = axisUnitOf(figure);
  const values = dots.map(({ measured }) => measured.median / divisor);
  const axis = fittingAxis(values, [0, 100], 3);
  const peers = inOrder([...grouped(dots, ({ row }) => row.peer).values()], (group) => group[0]?.row.peer ?? CONTROL);
  const height = TOP + peers.length * ROW;
  const { title } = FIGURES[figure];
  const words = peers.map((group) => `${group[0]?.row.peer} ${rangeOf(group, figure)}`).join("; ");
  return html`<figure class="panel">
    <figcaption>${title}${unit !== "" && `, ${unit}`}</figcaption>
    ${framed(
      {
        id: `strip-${figure}`,
        title,
        description: `${unit === "" ? "" : `In ${unit}: `}${words}.`,
        height,
        left: 98,
        right: 92,
      },
      html`${axis.ticks
        .filter(({ label }) => label !== "")
        .map(({ value, label }) => {
          const x = across(axis.at(value));
          return html`<line class="grid" x1="${x}" x2="${x}" y1="${TOP - 2}" y2="${height}" />
            <text class="tick" x="${x}" y="${TOP - 8}" text-anchor="middle">${label}</text>`;
        })}
      ${peers.map((group, index) => dotsOf(group, figure, axis, TOP + index * ROW + ROW / 2))}`,
    )}
  </figure>`;
}

function dotsOf(dots: readonly Dot[], figure: Figure, axis: Axis, y: number): Markup {
  const peer = dots[0]?.row.peer ?? CONTROL;
  const { className, mark, isHub } = lookOf(peer);
  return html`<g class="peer ${className}${isHub && " hub"}">
    <text class="name" x="0" dx="-98" y="${pixels(y)}" dy="4">${peer}</text>
    ${dots.map(({ row, measured }) =>
      around(
        axis.at(measured.median / axisUnitOf(figure)[0]),
        y,
        html`<g>
          <title>${peer}, ${row.scenario}, ${row.case}: ${quantityOf(measured.median, figure)}</title>
          <path class="dot" d="${mark}" />
        </g>`,
      ),
    )}
    <text class="range" x="100%" dx="10" y="${pixels(y)}" dy="4">${rangeOf(dots, figure)}</text>
  </g>`;
}

/** In the unit of the axis. */
function rangeOf(dots: readonly Dot[], figure: Figure): string {
  const values = dots.map(({ measured }) => measured.median / axisUnitOf(figure)[0]);
  const [low, high] = [numberOf(Math.min(...values)), numberOf(Math.max(...values))];
  return low === high ? low : `${low} – ${high}`;
}

function numbersOf(rows: readonly Row[]): Markup {
  const measured = rows.filter(({ figures }) => SHOWN.some((figure) => figures[figure] !== undefined));
  return numbersTable(
    ["scenario", "case", "peer", ...SHOWN.map((figure) => FIGURES[figure].title)],
    measured.map(cellsOf),
  );
}

function cellsOf({ scenario, case: name, peer, figures }: Row): readonly Content[] {
  const cells = SHOWN.map((figure) => {
    const measured = figures[figure];
    return measured !== undefined && quantityIntervalOf(measured, figure);
  });
  return [scenario, name, peer, ...cells];
}
