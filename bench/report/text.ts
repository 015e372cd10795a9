import { FIGURES, type Figure } from "../figures.ts";
import type { Interval } from "../results.ts";
import { axisUnitOf } from "./numbers.ts";

/** Of a terminal, in columns. */
export const WIDTH: number = 100;

/** How far the lines after the first are indented. */
const INDENT = "    ";

/** Without its unit, which stands in the title. */
export function figureText(figure: Figure, value: number): string {
  const scaled = value / axisUnitOf(figure)[0];
  if (FIGURES[figure].unit !== "/s" || scaled < 1e4) return numberText(scaled);
  return scaled >= 1e6 ? `${numberText(scaled / 1e6)}M` : `${numberText(scaled / 1e3)}k`;
}

/** Three digits that say something, and all before the point. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(size >= 1 ? 2 : 3);
}

export function intervalText({ low, high }: Interval, text: (value: number) => string = numberText): string {
  return `${text(low)}-${text(high)}`;
}

/** Broken between words, for a terminal. */
export function wrapped(text: string, width: number = WIDTH, indent: string = INDENT): string {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const end = rest.lastIndexOf(" ", width);
    // A word that is too long, or nothing but the indentation before it.
    if (end <= indent.length) break;
    lines.push(rest.slice(0, end));
    rest = indent + rest.slice(end + 1);
  }
  return [...lines, rest].join("\n");
}

/** Columns that are as wide as their widest cell, flush right but for those that are named. */
export function aligned(rows: readonly (readonly string[])[], left: readonly number[]): readonly string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      left.includes(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return cells.join("  ").trimEnd();
  });
}
