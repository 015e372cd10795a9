import { html, type Content, type Markup } from "../markup.ts";
import { inOrder, lookOf, nameOf } from "../page/looks.ts";
import type { PeerName } from "../../peers/peer.ts";
import { logAxis, type Axis } from "./axis.ts";
import { across, around, framed, pixels, type Frame } from "./frame.ts";
import { spread } from "./spread.ts";

/** The same figure of one peer at several x. */
export interface Line {
  readonly peer: PeerName;
  readonly points: readonly Point[];
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

export interface Curve extends Omit<Frame, "left" | "right"> {
  readonly lines: readonly Line[];
  readonly xTitle: string;
  readonly textOf: (y: number) => string;
}

const TOP = 12;
const BOTTOM = 40;
const LABEL = 17;

/** Lines over logarithmic axes, each with its name and its last value at its end. */
export function curveOf(curve: Curve): Markup {
  const lines = inOrder(curve.lines, (line) => line.peer);
  const points = lines.flatMap((line) => line.points);
  const floor = curve.height - BOTTOM;
  const y = logAxis(
    points.flatMap((point) => [point.low, point.high]),
    [floor, TOP],
    8,
  );
  const xs = [...new Set(points.map((point) => point.x))].toSorted((a, b) => a - b);
  const x = logAxis(xs, [0, 100], 1);
  const ends = lines.map((line) => y.at(line.points.at(-1)?.y ?? 1));
  const places = spread(ends, LABEL, TOP, floor);
  return framed(
    { ...curve, left: 44, right: 164 },
    html`${y.ticks.map((tick) => yTick(curve.textOf(tick.value), tick.label === "", y.at(tick.value)))}
      ${xs.map((value) => xTick(value, x, floor))}
      <text class="axis" x="0" y="${floor + 34}">${curve.xTitle}</text>
      ${lines.toReversed().map((line) => pathOf(line, x, y, curve))}
      ${lines.map((line, index) => endLabel(line, x, ends[index] ?? 0, places[index] ?? 0, curve))}`,
  );
}

function yTick(text: string, isMinor: boolean, y: number): Markup {
  return html`<line class="grid${isMinor && " minor"}" x1="0" x2="100%" y1="${pixels(y)}" y2="${pixels(y)}" />
    ${!isMinor && html`<text class="tick" x="0" dx="-7" y="${pixels(y)}" dy="4" text-anchor="end">${text}</text>`}`;
}

function xTick(value: number, axis: Axis, floor: number): Markup {
  const x = across(axis.at(value));
  return html`<line class="grid" x1="${x}" x2="${x}" y1="${TOP}" y2="${floor}" />
    <text class="tick" x="${x}" y="${floor + 16}" text-anchor="middle">${value}</text>`;
}

function pathOf(line: Line, x: Axis, y: Axis, { textOf }: Curve): Markup {
  const { className, mark, isHub } = lookOf(line.peer);
  const strokes: Content[] = line.points.slice(1).map((point, index) => {
    const from = line.points[index] ?? point;
    return html`<line
      class="stroke"
      x1="${across(x.at(from.x))}"
      y1="${pixels(y.at(from.y))}"
      x2="${across(x.at(point.x))}"
      y2="${pixels(y.at(point.y))}"
    />`;
  });
  return html`<g class="peer ${className}${isHub && " hub"}">
    ${strokes}
    ${line.points.map((point) => {
      const at = across(x.at(point.x));
      return html`<g>
        <title>${nameOf(line.peer)}, ${point.x}: ${textOf(point.y)} (${textOf(point.low)}–${textOf(point.high)})</title>
        <line class="interval" x1="${at}" x2="${at}" y1="${pixels(y.at(point.low))}" y2="${pixels(y.at(point.high))}" />
        ${around(x.at(point.x), y.at(point.y), html`<path class="mark" d="${mark}" />`)}
      </g>`;
    })}
  </g>`;
}

function endLabel(line: Line, x: Axis, end: number, place: number, { textOf }: Curve): Markup {
  const { className, isHub } = lookOf(line.peer);
  const last = line.points.at(-1);
  if (last === undefined) return html``;
  const y = pixels(end);
  return html`<g class="peer ${className}${isHub && " hub"}">
    <line class="leader" x1="${across(x.at(last.x))}" x2="100%" y1="${y}" y2="${y}" />
    ${around(100, 0, html`<path class="leader" d="M0 ${y}L14 ${pixels(place)}" />`)}
    <text class="end" x="100%" dx="18" y="${pixels(place)}" dy="4"
      ><tspan class="name">${nameOf(line.peer)}</tspan> <tspan class="number">${textOf(last.y)}</tspan></text
    >
  </g>`;
}
