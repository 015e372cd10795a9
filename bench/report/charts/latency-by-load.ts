import { CONTROL } from "../../command-line.ts";
import { html, type Markup } from "../markup.ts";
import { lookOf } from "../page/looks.ts";
import { numberOf, percentOf, quantityIntervalOf, quantityOf } from "../page/numbers.ts";
import { counts, verdictOf } from "../page/verdicts.ts";
import type { Row } from "../../results.ts";
import { evenAxis, logAxis, type Axis } from "./axis.ts";
import { across, around, framed, pixels } from "./frame.ts";
import { classOf, PERCENTILES, percentilesOf, type Percentile } from "./percentiles.ts";
import { spread } from "./spread.ts";

const TOP = 10;
const HEIGHT = 178;
const FLOOR = HEIGHT - 22;
const LABEL = 13;

/** What lies at an end comes first, so that equal places are told in the order of what they stand for. */
const FROM_THE_TOP: readonly Percentile[] = PERCENTILES.toReversed();

interface Axes {
  readonly x: Axis;
  readonly y: Axis;
  readonly loads: readonly number[];
}

/** A panel for each peer, all on one scale, each with the p99 of the control behind it. */
export function latencyByLoad(peers: readonly (readonly Row[])[], id: string): Markup {
  const rows = peers.flat();
  const axes = axesOf(rows);
  const control = rows.filter((row) => row.peer === CONTROL && counts(row));
  return html`<div class="panels small">
    ${peers.map((members, index) => panelOf(members, control, axes, `${id}-${index}`))}
  </div>`;
}

function axesOf(rows: readonly Row[]): Axes {
  const values = rows
    .filter(counts)
    .flatMap(({ figures }) => PERCENTILES.map((figure) => figures[figure]?.median ?? 0));
  const loads = [...new Set(rows.map(({ load = 0 }) => load))].toSorted((a, b) => a - b);
  const y = logAxis(values.some((value) => value > 0) ? values : [1, 1000], [FLOOR, TOP], 4);
  return { x: evenAxis(loads, [6, 94]), y, loads };
}

function panelOf(rows: readonly Row[], control: readonly Row[], axes: Axes, id: string): Markup {
  const peer = rows[0]?.peer ?? CONTROL;
  const { className, isHub } = lookOf(peer);
  const sorted = rows.toSorted((a, b) => (a.load ?? 0) - (b.load ?? 0));
  const good = sorted.filter(counts);
  const ends = FROM_THE_TOP.flatMap((figure) => {
    const median = good.at(-1)?.figures[figure]?.median;
    return median === undefined ? [] : [{ figure, y: axes.y.at(median) }];
  });
  const places = spread(
    ends.map((end) => end.y),
    LABEL,
    TOP,
    FLOOR,
  );
  const end = axes.x.at(good.at(-1)?.load ?? 1);
  const words = good.map((row) => `at ${percentOf(row.load ?? 0)} ${percentilesOf(row)}`);
  const failures = sorted.filter((row) => !counts(row));
  return html`<figure class="panel ${className}${isHub && " hub"}">
    <figcaption>${peer}</figcaption>
    ${framed(
      { id, title: `Latency of ${peer}`, description: `${words.join("; ")}.`, height: HEIGHT, left: 48, right: 42 },
      html`${gridOf(axes)} ${peer !== CONTROL && strokesOf(control, "p99", axes, "reference")}
      ${PERCENTILES.map((figure) => strokesOf(good, figure, axes, classOf(figure)))}
      ${ends.map(
        ({ figure }, index) =>
          html`<text class="end ${classOf(figure)}" x="${across(end)}" dx="10" y="${pixels(places[index] ?? 0)}" dy="4"
            >${figure}</text
          >`,
      )}`,
    )}
    ${failures.map((row) => html`<p class="note void">${percentOf(row.load ?? 0)}: ${verdictOf(row)}</p>`)}
  </figure>`;
}

function gridOf({ x, y, loads }: Axes): Markup {
  return html`${y.ticks
    .filter((tick) => tick.label !== "")
    .map(({ value }) => {
      const place = pixels(y.at(value));
      return html`<line class="grid" x1="0" x2="100%" y1="${place}" y2="${place}" />
        <text class="tick" x="0" dx="-6" y="${place}" dy="4" text-anchor="end">${quantityOf(value, "p50")}</text>`;
    })}
  ${loads.map((load) => {
    const place = across(x.at(load));
    return html`<text class="tick" x="${place}" y="${HEIGHT - 5}" text-anchor="middle">${numberOf(load * 100)}</text>`;
  })}`;
}

function strokesOf(rows: readonly Row[], figure: Percentile, { x, y }: Axes, className: string): Markup {
  const points = rows.flatMap((row) => {
    const measured = row.figures[figure];
    return measured === undefined ? [] : [{ row, measured, x: x.at(row.load ?? 0), y: y.at(measured.median) }];
  });
  return html`<g class="${className}">
    ${points.slice(1).map((point, index) => {
      const from = points[index] ?? point;
      return html`<line
        class="stroke"
        x1="${across(from.x)}"
        y1="${pixels(from.y)}"
        x2="${across(point.x)}"
        y2="${pixels(point.y)}"
      />`;
    })}
    ${points.map(
      (point) =>
        html`<g>
          <title>
            ${point.row.peer}, ${figure} at ${percentOf(point.row.load ?? 0)}:
            ${quantityIntervalOf(point.measured, figure)}
          </title>
          ${around(point.x, point.y, html`<circle class="mark" r="2.5" />`)}
        </g>`,
    )}
  </g>`;
}
