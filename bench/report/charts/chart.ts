import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { PeerName } from "../../peers/peer.ts";
import { html, Markup, type Content } from "../markup.ts";
import { MARK } from "../page/looks.ts";

/** The width of a chart on a phone, in pixels. Elsewhere it grows a little: see `style.css`. */
export const NARROW = 352;
const WIDE = 560;

/** Plot builds elements, and Node.js has no document to build them in. */
const { document } = parseHTML("<html></html>");

export interface Panel {
  /** Unique on the page. */
  readonly id: string;
  readonly caption: string;
  /** What one would see, in words. */
  readonly description: string;
  /** A wide chart has a narrow twin for phones; the style sheet shows one of them. */
  readonly isWide?: boolean;
  readonly note?: Content;
}

/** A chart under its caption, drawn as SVG by its specification for a width. The style sheet colours its marks by classes. */
export function panel(options: Panel, plotOf: (width: number) => Plot.PlotOptions): Markup {
  const { caption, isWide = false, note } = options;
  const narrow = drawn(options, plotOf(NARROW));
  const twins =
    isWide &&
    html`<div class="wide">${drawn(options, plotOf(WIDE))}</div>
      <div class="narrow">${narrow}</div>`;
  return html`<figure class="panel">
    <figcaption>${caption}</figcaption>
    ${twins || narrow}${note}
  </figure>`;
}

function drawn({ id: name, caption, description }: Panel, plot: Plot.PlotOptions): Markup {
  const { width = NARROW, height = 0 } = plot;
  const id = `${name}-${width}`;
  const label = html`aria-labelledby="${id}-title" aria-describedby="${id}-description"`;
  return html`<svg class="chart" width="${width}" viewBox="0 0 ${width} ${height}" role="img" ${label}>
    <title id="${id}-title">${caption}</title>
    <desc id="${id}-description">${description}</desc>
    ${contentsOf(plot)}
  </svg>`;
}

/** The mark of a peer in running text. */
export function swatch(peer: PeerName): Markup {
  const marks = [Plot.dot([{ peer }], { ...MARK, frameAnchor: "middle" })];
  const contents = contentsOf({ width: 12, height: 12, margin: 0, marks });
  return html`<svg class="swatch" viewBox="0 0 12 12" aria-hidden="true">${contents}</svg>`;
}

/** What is used of a drawing. The project has no types of the DOM. */
interface Drawing {
  readonly innerHTML: string;
  querySelector(selector: string): { remove(): void } | null;
}

function contentsOf(options: Plot.PlotOptions): Markup {
  const plot = Plot.plot({ ...options, document }) as unknown as Drawing;
  plot.querySelector("style")?.remove();
  return new Markup(plot.innerHTML);
}

/** Charts of one scenario under its heading, and the table of their numbers. */
export function group(heading: Content, areWide: boolean, panels: readonly Content[], numbers: Markup): Markup {
  return html`<section class="group${panels.length === 1 && !areWide && " single"}">
    <div class="heading">${heading}</div>
    <div class="${areWide ? "curves" : "panels"}">${panels}</div>
    ${numbers}
  </section>`;
}
