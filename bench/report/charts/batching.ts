import * as Plot from "@observablehq/plot";
import { CONTROL } from "../../command-line.ts";
import { FIGURES, type Figure } from "../../figures.ts";
import type { PeerName } from "../../peers/peer.ts";
import type { Interval, Row } from "../../results.ts";
import { grouped } from "../grouped.ts";
import { html, type Markup } from "../markup.ts";
import { countOf, quantityIntervalOf, quantityOf } from "../numbers.ts";
import { coloured, inOrder, isHub, lettered, MARK, nameOf } from "../page/looks.ts";
import { numbersTable } from "../page/tables.ts";
import { logAxis } from "./axis.ts";
import { drawn, panel, WIDTH, wideAndNarrow } from "./chart.ts";
import { column, titled, type PeerLine } from "./peer-lines.ts";
import { spread } from "./spread.ts";

/** In pixels: around the plot, and between the names at the ends of lines. */
const [HEIGHT, TOP, BOTTOM, LEFT, GAP] = [380, 12, 44, 52, 17];

/** The median and the interval of a peer that is sent so many messages in a turn. */
interface Point extends PeerLine {
  readonly turn: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** What a delivery costs, against how many messages leave in one turn of the event loop; and the writes, which explain it. */
export function batchingCharts(rows: readonly Row[]): readonly Markup[] {
  const groups = grouped(
    rows.filter((row) => row.phase === "capacity" && row.parameters?.perTurn !== undefined && row.verdict !== "void"),
    (row) => JSON.stringify([row.scenario, { ...row.parameters, perTurn: undefined }]),
  );
  const varied = [...groups.values()].filter((group) => new Set(group.map(turnOf)).size > 1);
  return varied.map((group, index) => {
    const { members = 0, size = 0 } = group[0]?.parameters ?? {};
    const cpu = [...group.flatMap((row) => pointsOf(row, "cpu", row.figures.cpu)), ...group.flatMap(floorOf)];
    const writes = group.flatMap((row) => pointsOf(row, "writes", row.figures.writes));
    return html`<section class="group">
      <h3>${group[0]?.scenario} <span class="measure">${countOf(members)} members, ${countOf(size)} B</span></h3>
      <div class="curves">
        ${chartOf(cpu, "cpu", `batching-${index}-cpu`)} ${chartOf(writes, "writes", `batching-${index}-writes`)}
      </div>
      ${numbersTable(group, ["case", "peer", "cpu", "to bare writes", "writes"])}
    </section>`;
  });
}

function pointsOf({ peer, parameters }: Row, figure: Figure, measured: Interval | undefined): readonly Point[] {
  const turn = parameters?.perTurn ?? 1;
  return measured
    ? [{ peer, turn, words: `${turn} a turn, ${quantityIntervalOf(measured, figure)}`, ...measured }]
    : [];
}

/** What bare writes cost, by what the control costs and how many times as much that is. */
function floorOf(row: Row): readonly Point[] {
  const [{ cpu }, toFloor] = [row.figures, row.toFloor];
  if (row.peer !== CONTROL || cpu === undefined || toFloor === undefined) return [];
  const median = cpu.median / toFloor.median;
  return pointsOf({ ...row, peer: "floor" }, "cpu", { median, low: median, high: median });
}

/** Lines with their names at their ends. */
function chartOf(all: readonly Point[], figure: Figure, id: string): Markup {
  if (all.length === 0) return html``;
  const points = inOrder(all.toSorted((a, b) => a.turn - b.turn));
  const { title } = FIGURES[figure];
  const description = `${points.map(titled).join("; ")}.`;
  const chart = wideAndNarrow(560, (width) =>
    drawn(
      { id: `${id}-${width}`, title: `${title}, against messages a turn`, description },
      curvesOf(points, figure, width),
    ),
  );
  return panel(title, chart);
}

function curvesOf(points: readonly Point[], figure: Figure, width: number): Plot.PlotOptions & { height: number } {
  const turns = [...new Set(points.map(({ turn }) => turn))].toSorted((a, b) => a - b);
  const y = logAxis(
    points.flatMap(({ low, high }) => [low, high]),
    8,
  );
  // Room for lines from the last points to their names.
  const end = (turns.at(-1) ?? 1) * 1.25;
  const isNarrow = width === WIDTH;
  const right = isNarrow ? 100 : 152;
  // Names are moved apart where they would lie on each other.
  const ends = [...grouped(points, ({ peer }) => peer).values()].flatMap((own) => own.slice(-1));
  const scale = Plot.scale({ y: { ...y.scale, range: [HEIGHT - BOTTOM, TOP] } });
  const places = spread(
    ends.map(({ median }) => scale.apply(median) as number),
    GAP,
    TOP,
    HEIGHT - BOTTOM,
  );
  const labels = ends.map((end, index) => ({ ...end, place: scale.invert?.(places[index]) as number }));
  const [floor, peers] = [points.filter(isFloor), points.filter((point) => !isFloor(point)).toReversed()];
  const at = { x: "turn", y: "median" } as const;
  const text = { y: "place", frameAnchor: "right" } as const;
  return {
    width,
    height: HEIGHT,
    marginTop: TOP,
    marginBottom: BOTTOM,
    marginLeft: LEFT,
    marginRight: right,
    x: { type: "log", domain: [turns[0], end], insetLeft: 10 },
    y: y.scale,
    marks: [
      Plot.gridY({ className: "grid minor" }),
      Plot.gridY({ ticks: y.ticks, className: "grid" }),
      Plot.gridX({ ticks: turns, className: "grid" }),
      Plot.axisY({
        ticks: y.ticks,
        tickSize: 0,
        tickPadding: 7,
        text: (value: number) => quantityOf(value, figure),
        label: null,
        className: "tick",
      }),
      Plot.axisX({ ticks: turns, tickSize: 0, tickPadding: 7, text: String, label: null, className: "tick" }),
      Plot.text(["messages in one turn of the event loop"], { frameAnchor: "bottom-left", dy: 40, className: "tick" }),
      Plot.line(floor, { ...at, stroke: coloured, strokeDasharray: "1 4" }),
      Plot.line(peers, { ...at, z: "peer", stroke: coloured, strokeWidth: (point: Point) => (isHub(point) ? 3 : 1.5) }),
      Plot.ruleX(peers, { x: "turn", y1: "low", y2: "high", className: "interval" }),
      Plot.dot(peers, { ...at, ...MARK, title: titled, className: "mark" }),
      Plot.link(labels, {
        x1: "turn",
        x2: end,
        y1: "median",
        y2: "place",
        stroke: coloured,
        className: "leader",
      }),
      ...column(labels, "end", { ...text, dx: 6, text: nameOf, fill: lettered }),
      ...(isNarrow
        ? []
        : column(labels, "range", {
            ...text,
            textAnchor: "end",
            dx: right,
            text: ({ median }: Point) => quantityOf(median, figure),
          })),
    ],
  };
}

function isFloor({ peer }: { readonly peer: PeerName }): boolean {
  return peer === "floor";
}

function turnOf({ parameters }: Row): number {
  return parameters?.perTurn ?? 1;
}
