import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { PeerName } from "../../peers/peer.ts";
import { html, Markup, type Content } from "../markup.ts";
import { MARK } from "../page/looks.ts";

/** The width of a chart on a phone, in pixels. Elsewhere it grows a little: see `style.css`. */
export const WIDTH = 352;

/** Plot builds elements, and Node.js has no document to build them in. */
const { document } = parseHTML("<html></html>");

/** What a chart is called, for people who cannot see it as well. */
export interface Chart {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  /** What one would see, in words. */
  readonly description: string;
}

/** Draws a specification as SVG. The page's style sheet colours it, by the classes of the marks. */
export function drawn(chart: Chart, options: Plot.PlotOptions & { readonly height: number }): Markup {
  const { id, title, description } = chart;
  const { width = WIDTH, height } = options;
  return html`<svg
    class="chart"
    width="${width}"
    height="${height}"
    viewBox="0 0 ${width} ${height}"
    role="img"
    aria-labelledby="${id}-title"
    aria-describedby="${id}-description"
  >
    <title id="${id}-title">${title}</title>
    <desc id="${id}-description">${description}</desc>
    ${contentsOf({ width, ...options })}
  </svg>`;
}

/** The mark of a peer in running text. */
export function swatch(peer: PeerName): Markup {
  const options = {
    width: 12,
    height: 12,
    margin: 0,
    marks: [Plot.dot([{ peer }], { ...MARK, frameAnchor: "middle" })],
  };
  return html`<svg class="swatch" viewBox="0 0 12 12" aria-hidden="true">${contentsOf(options)}</svg>`;
}

function contentsOf(options: Plot.PlotOptions): Markup {
  const plot = Plot.plot({ ...options, document });
  plot.querySelector("style")?.remove();
  return new Markup(plot.innerHTML as string);
}

/** A chart under its caption, and a note below it. */
export function panel(caption: Content, chart: Content, note?: Content): Markup {
  return html`<figure class="panel">
    <figcaption>${caption}</figcaption>
    ${chart}${note}
  </figure>`;
}

/** A wide chart has a narrow twin for phones; the style sheet shows one of them. */
export function wideAndNarrow(width: number, draw: (width: number) => Markup): Markup {
  return html`<div class="wide">${draw(width)}</div>
    <div class="narrow">${draw(WIDTH)}</div>`;
}
