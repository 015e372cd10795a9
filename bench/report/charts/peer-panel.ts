import * as Plot from "@observablehq/plot";
import type { PeerName } from "../../peers/peer.ts";
import type { Row } from "../../results.ts";
import type { Content, Markup } from "../markup.ts";
import { numberOf } from "../numbers.ts";
import { inOrder, isHub, nameOf } from "../page/looks.ts";
import { counts, verdictOf } from "../page/verdicts.ts";
import type { Axis } from "./axis.ts";
import { drawn, NARROW, panel, wideAndNarrow } from "./chart.ts";

/** Room for the names of peers, and for the labels of the axis above. */
const [LEFT, TOP] = [98, 22];

/** What is drawn of one peer. */
export interface Drawn {
  readonly peer: PeerName;
  /** All of it in words. */
  readonly words: string;
}

interface PeerPanel<T extends Drawn> {
  readonly id: string;
  readonly caption: string;
  readonly rows: readonly Row[];
  /** `undefined` where there is nothing to draw; then the verdict stands there. */
  readonly drawnOf: (row: Row) => T | undefined;
  readonly marksOf: (all: readonly T[]) => Plot.Markish[];
  readonly axis: Axis;
  readonly labelOf?: (value: number) => string;
  /** The height of a line, and the room to the right of the plot, in pixels. */
  readonly pitch: number;
  readonly right: number;
  readonly note?: Content;
  readonly isWide?: boolean;
}

/** A chart with a line for each peer: its name, what is drawn of it, and words in columns. */
export function peerPanel<T extends Drawn>(options: PeerPanel<T>): Markup {
  const { id, caption, drawnOf, marksOf, axis, labelOf = numberOf, pitch, right, note, isWide = false } = options;
  const rows = inOrder(options.rows);
  const all = rows.map((row) => (counts(row) ? drawnOf(row) : undefined));
  const lines = rows.map((row, index) => all[index] ?? { peer: row.peer, words: verdictOf(row) });
  const plotOf = (width: number): Plot.PlotOptions => ({
    width,
    height: TOP + lines.length * pitch,
    marginLeft: LEFT,
    marginRight: right,
    marginTop: TOP,
    marginBottom: 0,
    x: axis.scale,
    y: { type: "band", domain: lines.map(({ peer }) => peer), padding: 0, axis: null },
    marks: [
      Plot.gridX({ ticks: axis.ticks, className: "grid", insetTop: -2 }),
      Plot.axisX({ anchor: "top", ticks: axis.ticks, tickSize: 0, text: labelOf, label: null, className: "tick" }),
      ...column(lines, "name", { text: "peer", frameAnchor: "left", dx: -LEFT }),
      ...marksOf(all.filter((line) => line !== undefined)),
      ...lines.flatMap((line, index) =>
        all[index]
          ? []
          : column([line], `verdict ${rows[index]?.verdict}`, { text: "words", frameAnchor: "left", dx: 8 }),
      ),
    ],
  });
  const description = `${lines.map(titled).join("; ")}.`;
  const draw = (width: number): Markup =>
    drawn({ id: `${id}-${width}`, title: caption, description, plot: plotOf(width) });
  return panel(caption, isWide ? wideAndNarrow(draw) : draw(NARROW), note);
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
