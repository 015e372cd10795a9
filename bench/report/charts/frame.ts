import { html, type Content, type Markup } from "../markup.ts";

/**
 * One drawing. It is as wide as its place and never scaled: across, everything is in per cent of the plot, so that letters
 * and lines keep their size on every screen. What is left and right of the plot is drawn outside of it.
 */
export interface Frame {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  /** What one would see, in words. */
  readonly description: string;
  readonly height: number;
  /** Pixels beside the plot. */
  readonly left: number;
  readonly right: number;
}

export function framed({ id, title, description, height, left, right }: Frame, body: Content): Markup {
  return html`<svg
    class="chart"
    style="--left:${left}px;--right:${right}px"
    height="${height}"
    role="img"
    aria-labelledby="${id}-title"
    aria-describedby="${id}-description"
  >
    <title id="${id}-title">${title}</title>
    <desc id="${id}-description">${description}</desc>
    ${body}
  </svg>`;
}

/** A length across. */
export function across(percent: number): string {
  return `${Number(percent.toFixed(2))}%`;
}

/** A length down, or a place of a mark. */
export function pixels(length: number): string {
  return String(Number(length.toFixed(1)));
}

/** Draws in pixels around a point of the plot. */
export function around(percent: number, y: number, body: Content): Markup {
  return html`<svg x="${across(percent)}" y="${pixels(y)}" overflow="visible">${body}</svg>`;
}

/** The same numbers for those who cannot see them, or want them exactly. */
export function numbersTable(head: readonly string[], rows: readonly (readonly Content[])[]): Markup {
  return html`<details class="numbers">
    <summary>The numbers</summary>
    ${table(head, rows, "The numbers of this chart")}
  </details>`;
}

/** A table that scrolls by itself where it is wider than the page. */
export function table(head: readonly string[], rows: readonly (readonly Content[])[], name: string): Markup {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${name}">
    <table>
      <thead>
        <tr>
          ${head.map((title) => html`<th scope="col">${title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (cells) =>
            html`<tr>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
