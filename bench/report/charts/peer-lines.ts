import * as Plot from "@observablehq/plot";
import type { PeerName } from "../../peers/peer.ts";
import type { Row } from "../../results.ts";
import type { Markup } from "../markup.ts";
import { numberOf } from "../numbers.ts";
import { isHub, nameOf } from "../page/looks.ts";
import { verdictOf } from "../page/verdicts.ts";
import type { Axis } from "./axis.ts";
import { drawn, WIDTH, type Chart } from "./chart.ts";

/** Room for the names of peers, and for the labels of the axis above. */
const [LEFT, TOP] = [98, 22];

/** What is shown of one peer. */
export interface PeerLine {
  readonly peer: PeerName;
  /** All of it in words. */
  readonly words: string;
}

export interface PeerLines extends Omit<Chart, "description"> {
  readonly lines: readonly PeerLine[];
  readonly axis: Axis;
  readonly labelOf?: (value: number) => string;
  readonly marks: Plot.Markish[];
  /** The height of a line, and the room for words to the right, in pixels. */
  readonly pitch: number;
  readonly right: number;
  readonly width?: number;
}

/** A chart with a line for each peer: its name, what is drawn of it, and words in columns. */
export function peerLines(chart: PeerLines): Markup {
  const { lines, axis, labelOf = numberOf, marks, pitch, right, width = WIDTH } = chart;
  const description = `${lines.map(titled).join("; ")}.`;
  return drawn(
    { ...chart, description },
    {
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
        Plot.axisX({
          anchor: "top",
          ticks: axis.ticks,
          tickSize: 0,
          text: labelOf,
          label: null,
          className: "tick",
        }),
        ...column(lines, "name", { text: "peer", frameAnchor: "left", dx: -LEFT }),
        ...marks,
      ],
    },
  );
}

/** Words at the same place of each line. */
export function column(lines: readonly PeerLine[], name: string, options: Plot.TextOptions): Plot.Markish[] {
  return [true, false].map((ofHubs) =>
    Plot.text(
      lines.filter((line) => isHub(line) === ofHubs),
      { y: "peer", textAnchor: "start", ...options, className: ofHubs ? `${name} hub` : name },
    ),
  );
}

/** What there is to say of a peer that has nothing to draw. */
export function said(row: Row): Plot.Markish[] {
  const line = { peer: row.peer, words: verdictOf(row) };
  return column([line], `verdict ${row.verdict}`, { text: "words", frameAnchor: "left", dx: 8 });
}

/** What stands there when the pointer rests on a mark. */
export function titled(line: PeerLine): string {
  return `${nameOf(line)}: ${line.words}`;
}
