import type { Figure } from "../figures.ts";
import { FIGURES } from "../figures.ts";
import type { Interval } from "../results.ts";

/** Of a terminal, in columns. */
export const WIDTH: number = 100;

/** Columns of the table: a word or two, with the unit. */
const TITLES: Readonly<Record<Figure, string>> = {
  cpu: "CPU µs",
  user: "user µs",
  system: "sys µs",
  throughput: "deliv./s",
  messages: "msgs/s",
  bytes: "bytes",
  writes: "writes",
  p50: "p50 µs",
  p99: "p99 µs",
  "p99.9": "p99.9 µs",
  max: "max µs",
  eventLoopDelay: "loop ms",
  gc: "GC ms/s",
  peakResident: "RSS MiB",
  receiversLoad: "rcv load",
  connections: "conn./s",
  connectionCpu: "CPU µs",
  residentPerConnection: "RSS KiB",
  heapPerConnection: "heap KiB",
  httpP50: "HTTP p50",
  httpP99: "HTTP p99",
  httpRequests: "HTTP/s",
};

/** In what figures of the unit B are shown. */
const BYTES: Readonly<Partial<Record<Figure, number>>> = {
  peakResident: 2 ** 20,
  residentPerConnection: 2 ** 10,
  heapPerConnection: 2 ** 10,
};

export function titleOf(figure: Figure): string {
  return TITLES[figure];
}

/** Without its unit, which stands in the title. */
export function figureText(figure: Figure, value: number): string {
  const scaled = value / (BYTES[figure] ?? 1);
  return FIGURES[figure].unit === "/s" ? shortened(scaled) : numberText(scaled);
}

/** Three digits that say something, and all before the point. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(size >= 1 ? 2 : 3);
}

export function intervalText({ low, high }: Interval, text: (value: number) => string): string {
  return `${text(low)}-${text(high)}`;
}

function shortened(value: number): string {
  if (value >= 1e6) return `${numberText(value / 1e6)}M`;
  return value >= 1e4 ? `${numberText(value / 1e3)}k` : numberText(value);
}

/** Broken between words, for a terminal. */
export function wrapped(text: string, width: number, indent: string): string {
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

/** Columns that are as wide as their widest cell; the first is flush left, numbers and the rest are flush right. */
export function aligned(rows: readonly (readonly string[])[], left: ReadonlySet<number>): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, column) => (left.has(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
