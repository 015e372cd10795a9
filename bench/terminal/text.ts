/** Of a terminal, in columns. */
export const WIDTH: number = 100;

/** Broken between words, for a terminal. */
export function wrapped(text: string, width: number = WIDTH, indent = "    "): string {
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
  const padded = (cell: string, column: number): string =>
    left.includes(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(padded).join("  ").trimEnd());
}
