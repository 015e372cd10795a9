import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { PeerName } from "../../peers/peer.ts";
import type { Row } from "../../results.ts";
import { html, Markup, type Content } from "../markup.ts";
import { MARK } from "../page/looks.ts";
import { numbersTable, type Column } from "../page/tables.ts";

/** The width of a chart on a phone, in pixels. Elsewhere it grows a little: see `style.css`. */
export const NARROW = 352;
export const WIDE = 560;

/** Plot builds elements, and Node.js has no document to build them in. */
const { document } = parseHTML("<html></html>");

export interface Chart {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  /** What one would see, in words. */
  readonly description: string;
  readonly plot: Plot.PlotOptions;
}

/** Draws a specification as SVG. The page's style sheet colours it, by the classes of the marks. */
export function drawn({ id, title, description, plot }: Chart): Markup {
  const [width, height] = [plot.width ?? NARROW, plot.height ?? 0];
  const label = html`aria-labelledby="${id}-title" aria-describedby="${id}-description"`;
  return html`<svg class="chart" width="${width}" viewBox="0 0 ${width} ${height}" role="img" ${label}>
    <title id="${id}-title">${title}</title>
    <desc id="${id}-description">${description}</desc>
    ${contentsOf({ width, ...plot })}
  </svg>`;
}

/** The mark of a peer in running text. */
export function swatch(peer: PeerName): Markup {
  const marks = [Plot.dot([{ peer }], { ...MARK, frameAnchor: "middle" })];
  const contents = contentsOf({ width: 12, height: 12, margin: 0, marks });
  return html`<svg class="swatch" viewBox="0 0 12 12" aria-hidden="true">${contents}</svg>`;
}

function contentsOf(options: Plot.PlotOptions): Markup {
  const plot = Plot.plot({ ...options, document });
  plot.querySelector("style")?.remove();
  return new Markup(plot.innerHTML as string);
}

/** A chart under its caption, and a note below it. */
export function panel(caption: string, chart: Content, note?: Content): Markup {
  return html`<figure class="panel">
    <figcaption>${caption}</figcaption>
    ${chart}${note}
  </figure>`;
}

/** A wide chart has a narrow twin for phones; the style sheet shows one of them. */
export function wideAndNarrow(draw: (width: number) => Markup): Markup {
  return html`<div class="wide">${draw(WIDE)}</div>
    <div class="narrow">${draw(NARROW)}</div>`;
}

interface Group {
  readonly heading: Content;
  readonly panels: readonly Content[];
  readonly areWide?: boolean;
  /** What the numbers are of, and which. */
  readonly rows: readonly Row[];
  readonly columns: readonly Column[];
}

/** Charts of one scenario, and their numbers. */
export function group({ heading, panels, areWide = false, rows, columns }: Group): Markup {
  return html`<section class="group${panels.length === 1 && !areWide && " single"}">
    <div class="heading">${heading}</div>
    <div class="${areWide ? "curves" : "panels"}">${panels}</div>
    ${numbersTable(rows, columns)}
  </section>`;
}
