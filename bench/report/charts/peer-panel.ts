import * as Plot from "@observablehq/plot";
import type { PeerName } from "../../peers/peer.ts";
import type { Row } from "../../results.ts";
import type { Markup } from "../markup.ts";
import { numberOf } from "../../numbers.ts";
import { inOrder, isHub, nameOf } from "../page/looks.ts";
import { verdictOf } from "../page/verdicts.ts";
import { counts } from "../../statistics/verdict.ts";
import type { Axis } from "./axis.ts";
import { panel, type Panel } from "./chart.ts";

/** Room for the names of peers, and for the labels of the axis above. */
const [LEFT, TOP] = [98, 22];

/** What is drawn of one peer. */
export interface Drawn {
  readonly peer: PeerName;
  /** All of it in words. */
  readonly words: string;
}

interface PeerPanel<T extends Drawn> extends Omit<Panel, "description"> {
  readonly rows: readonly Row[];
  /** `undefined` where there is nothing to draw; then the verdict stands there. */
  readonly drawnOf: (row: Row) => T | undefined;
  readonly marksOf: (all: readonly T[]) => Plot.Markish[];
  readonly axis: Axis;
  readonly labelOf?: (value: number) => string;
  /** The height of a line, and the room to the right of the plot, in pixels. */
  readonly pitch: number;
  readonly right: number;
}

/** A chart with a line for each peer: its name, what is drawn of it, and words in columns. */
export function peerPanel<T extends Drawn>(options: PeerPanel<T>): Markup {
  const { drawnOf, marksOf, axis, labelOf = numberOf } = options;
  const found = inOrder(options.rows).map((row) => ({ row, line: counts(row) ? drawnOf(row) : undefined }));
  const lines = found.map(({ row, line }) => line ?? { peer: row.peer, words: verdictOf(row) });
  const said = found.filter(({ line }) => line === undefined).map(({ row }) => row);
  const saying = { y: "peer", text: verdictOf, frameAnchor: "left", dx: 8 } as const;
  const panelOptions = { ...options, description: `${lines.map(titled).join("; ")}.` };
  return panel(panelOptions, (width) => ({
    width,
    height: TOP + lines.length * options.pitch,
    marginLeft: LEFT,
    marginRight: options.right,
    marginTop: TOP,
    marginBottom: 0,
    x: axis.scale,
    y: { type: "band", domain: lines.map(({ peer }) => peer), padding: 0, axis: null },
    marks: [
      Plot.gridX({ ticks: axis.ticks, className: "grid", insetTop: -2 }),
      Plot.axisX({ anchor: "top", ticks: axis.ticks, tickSize: 0, text: labelOf, label: null, className: "tick" }),
      column(lines, "name", { text: "peer", frameAnchor: "left", dx: -LEFT }),
      marksOf(found.flatMap(({ line }) => line ?? [])),
      said.map((row) => Plot.text([row], { ...saying, className: `verdict ${row.verdict}` })),
    ],
  }));
}

/** Words at the same place of each line. */
export function column(lines: readonly Drawn[], name: string, options: Plot.TextOptions): Plot.Markish[] {
  const [hubs, others] = [lines.filter(isHub), lines.filter((line) => !isHub(line))];
  const place = { y: "peer", frameAnchor: "right", textAnchor: "start", ...options } as const;
  return [Plot.text(hubs, { ...place, className: `${name} hub` }), Plot.text(others, { ...place, className: name })];
}

/** What stands there when the pointer rests on a mark. */
export function titled(line: Drawn): string {
  return `${nameOf(line)}: ${line.words}`;
}
