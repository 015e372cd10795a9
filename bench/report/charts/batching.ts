import * as Plot from "@observablehq/plot";
import { CONTROL } from "../../command-line.ts";
import { FIGURES, type Figure } from "../../figures.ts";
import type { Interval, Row } from "../../results.ts";
import { grouped } from "../../grouped.ts";
import { html, type Markup } from "../markup.ts";
import { countOf, intervalOf, quantityOf } from "../../numbers.ts";
import { coloured, inOrder, isHub, lettered, MARK, nameOf } from "../page/looks.ts";
import { numbersTable } from "../page/tables.ts";
import { logAxis } from "./axis.ts";
import { group, NARROW, panel } from "./chart.ts";
import { column, titled, type Drawn } from "./peer-panel.ts";
import { spread } from "./spread.ts";

/** In pixels: the plot from its top to its floor, and between the names at the ends of lines. */
const [TOP, FLOOR, GAP] = [12, 336, 17];

/** A peer that is sent so many messages in a turn. */
interface Point extends Drawn, Interval {
  readonly turn: number;
}

/** What a delivery costs, against how many messages leave in one turn of the event loop; and the writes, which explain it. */
export function batchingCharts(rows: readonly Row[]): readonly Markup[] {
  const groups = grouped(
    rows.filter((row) => row.phase === "capacity" && row.parameters?.perTurn !== undefined && row.verdict !== "void"),
    (row) => JSON.stringify([row.scenario, { ...row.parameters, perTurn: undefined }]),
  );
  return [...groups.values()].flatMap((all, index) => {
    if (new Set(all.map(({ parameters }) => parameters?.perTurn)).size < 2) return [];
    const { members = 0, size = 0 } = all[0]?.parameters ?? {};
    const conditions = `${countOf(members)} members, ${countOf(size)} B`;
    const panels = (["cpu", "writes"] as const).map((figure) => {
      const points = [...all, ...all.flatMap(floorOf)].flatMap((row) => pointsOf(row, figure));
      return panelOf(points, figure, `batching-${index}-${figure}`);
    });
    const heading = html`<h3>${all[0]?.scenario} <span class="measure">${conditions}</span></h3>`;
    return group(heading, true, panels, numbersTable(all, ["case", "peer", "cpu", "to bare writes", "writes"]));
  });
}

function pointsOf({ peer, parameters, figures }: Row, figure: Figure): readonly Point[] {
  const [turn, measured] = [parameters?.perTurn ?? 1, figures[figure]];
  if (measured === undefined) return [];
  const interval = intervalOf(measured, (value) => quantityOf(value, figure));
  const words = `${turn} a turn, ${quantityOf(measured.median, figure)} (${interval})`;
  return [{ peer, turn, words, ...measured }];
}

/** What bare writes cost, by what the control costs and how many times as much that is. */
function floorOf({ peer, figures: { cpu }, toFloor, ...row }: Row): readonly Row[] {
  if (peer !== CONTROL || cpu === undefined || toFloor === undefined) return [];
  const median = cpu.median / toFloor.median;
  return [{ ...row, peer: "floor", figures: { cpu: { median, low: median, high: median } } }];
}

/** Lines with their names at their ends. */
function panelOf(points: readonly Point[], figure: Figure, id: string): Markup {
  if (points.length === 0) return html``;
  const sorted = inOrder(points.toSorted((a, b) => a.turn - b.turn));
  const options = {
    id,
    caption: FIGURES[figure].title,
    description: `${sorted.map(titled).join("; ")}.`,
    isWide: true,
  };
  return panel(options, (width) => linesOf(sorted, (value) => quantityOf(value, figure), width));
}

function linesOf(points: readonly Point[], textOf: (value: number) => string, width: number): Plot.PlotOptions {
  const turns = [...new Set(points.map(({ turn }) => turn))].toSorted((a, b) => a - b);
  const bounds = points.flatMap(({ low, high }) => [low, high]);
  const y = logAxis(bounds, 8);
  const floor = points.filter(({ peer }) => peer === "floor");
  const peers = points.filter((point) => !floor.includes(point)).toReversed();
  // Names are moved apart where they would lie on each other, with room for lines from the last points to them.
  const end = (turns.at(-1) ?? 1) * 1.25;
  const scale = Plot.scale({ y: { ...y.scale, range: [FLOOR, TOP] } });
  const ends = [...grouped(points, ({ peer }) => peer).values()].flatMap((own) => own.slice(-1));
  const heights = ends.map(({ median }) => scale.apply(median) as number);
  const places = spread(heights, GAP, TOP, FLOOR);
  const names = ends.map((point, index) => Object.assign({ place: scale.invert?.(places[index]) as number }, point));
  const right = width === NARROW ? 100 : 152;
  const numbers = { y: "place", dx: right, textAnchor: "end", text: ({ median }: Point) => textOf(median) } as const;
  const line = { x: "turn", y: "median", stroke: coloured } as const;
  const axis = { tickSize: 0, tickPadding: 7, label: null, className: "tick" } as const;
  return {
    width,
    height: FLOOR + 44,
    marginTop: TOP,
    marginBottom: 44,
    marginLeft: 52,
    marginRight: right,
    x: { type: "log", domain: [turns[0], end], insetLeft: 10 },
    y: y.scale,
    marks: [
      Plot.gridY({ className: "grid minor" }),
      Plot.gridY({ ticks: y.ticks, className: "grid" }),
      Plot.gridX({ ticks: turns, className: "grid" }),
      Plot.axisY({ ...axis, ticks: y.ticks, text: textOf }),
      Plot.axisX({ ...axis, ticks: turns, text: String }),
      Plot.text(["messages in one turn of the event loop"], { frameAnchor: "bottom-left", dy: 40, className: "tick" }),
      Plot.line(floor, { ...line, strokeDasharray: "1 4" }),
      Plot.line(peers, { ...line, z: "peer", strokeWidth: (point: Point) => (isHub(point) ? 3 : 1.5) }),
      Plot.ruleX(peers, { x: "turn", y1: "low", y2: "high", className: "interval" }),
      Plot.dot(peers, { x: "turn", y: "median", ...MARK, title: titled }),
      Plot.link(names, { x1: "turn", x2: end, y1: "median", y2: "place", stroke: coloured, className: "leader" }),
      column(names, "end", { y: "place", dx: 6, text: nameOf, fill: lettered }),
      width === NARROW ? [] : column(names, "range", numbers),
    ],
  };
}
