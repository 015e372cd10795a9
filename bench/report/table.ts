import type { Figure } from "../figures.ts";
import type { Violations } from "../receivers/messages.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import type { Row } from "../results.ts";
import { RECEIVER_BOUND } from "../statistics/rows.ts";
import { paint, type Paint } from "./colours.ts";
import { ENOUGH_ROUNDS } from "../statistics/verdict.ts";
import { aligned, figureText, intervalText, numberText, titleOf, wrapped, WIDTH } from "./text.ts";

/** What else is told where latency was measured. */
const OF_LATENCY: readonly Figure[] = ["p50", "p99.9", "max", "cpu"];

const TOO_FEW = `Fewer than ${ENOUGH_ROUNDS} rounds: take no interval seriously; nothing is called better or worse.`;

/** All rows as a table for a terminal, one block for each case. */
export function tableOf(rows: readonly Row[], scenarios: readonly Scenario[], colours: boolean): string {
  const blocks: Row[][] = [];
  for (const row of rows) {
    const block = blocks.find(([first]) => first !== undefined && isSameCase(first, row));
    if (block === undefined) blocks.push([row]);
    else block.push(row);
  }
  const text = blocks.map((block) => blockOf(block, scenarios, paint(colours)));
  const few = rows.some((row) => row.slices < ENOUGH_ROUNDS) ? [TOO_FEW] : [];
  return [...text, ...few].join("\n\n");
}

function isSameCase(one: Row, other: Row): boolean {
  return (
    one.scenario === other.scenario &&
    one.trial === other.trial &&
    one.case === other.case &&
    one.phase === other.phase &&
    one.load === other.load
  );
}

function blockOf(rows: readonly Row[], scenarios: readonly Scenario[], colour: Paint): string {
  const [first] = rows;
  if (first === undefined) return "";
  const { headline, phase, load } = first;
  const scenario = scenarios.find(({ name }) => name === first.scenario);
  const at = load === undefined ? "" : `, at ${Math.round(load * 100)} % of the control's capacity`;
  const title = `${first.scenario}: ${first.case}${at}`;
  const also = scenario?.also ?? [];
  const asksForLatency = scenario?.headline === headline;
  const others = phase === "capacity" ? also : asksForLatency ? [...also, ...OF_LATENCY] : [...OF_LATENCY, ...also];
  const figures = [...new Set(others)].filter(
    (figure) => figure !== headline && rows.some((row) => figure in row.figures),
  );
  const withFloor = rows.some((row) => row.toFloor !== undefined);
  // The least important are the last.
  for (let shown = figures.length; ; shown--) {
    const lines = linesOf(rows, figures.slice(0, shown), withFloor);
    const fits = lines.every((line) => line.length <= WIDTH);
    if (!fits && shown > 0) continue;
    const [head = "", ...body] = lines;
    const notes = notesOf(rows);
    const coloured = body.map((line, index) => colour(line, rows[index]?.verdict));
    return [colour(title, "title"), head, ...coloured, ...notes].join("\n");
  }
}

function linesOf(rows: readonly Row[], figures: readonly Figure[], withFloor: boolean): readonly string[] {
  const headline = rows[0]?.headline ?? "cpu";
  const head = [
    "peer",
    titleOf(headline),
    "95 %",
    "ratio",
    "95 %",
    "verdict",
    ...(withFloor ? ["/floor"] : []),
    ...figures.map((figure) => titleOf(figure)),
  ];
  const body = rows.map((row) => {
    const { ratio, toFloor } = row;
    const main = row.figures[headline];
    return [
      row.peer,
      main === undefined ? "" : figureText(headline, main.median),
      main === undefined || row.slices === 1 ? "" : intervalText(main, (value) => figureText(headline, value)),
      row.verdict === "control" ? "1" : ratio === undefined ? "" : numberText(ratio.median),
      ratio === undefined || row.slices === 1 ? "" : intervalText(ratio, numberText),
      row.verdict,
      ...(withFloor ? [toFloor === undefined ? "" : numberText(toFloor.median)] : []),
      ...figures.map((figure) => {
        const interval = row.figures[figure];
        return interval === undefined ? "" : figureText(figure, interval.median) + markOf(row, figure);
      }),
    ];
  });
  return aligned([head, ...body], new Set([0, 2, 4, 5]));
}

/** Where the receivers were the bottleneck, deliveries a second say what these can do. */
function markOf(row: Row, figure: Figure): string {
  return figure === "throughput" && row.remarks.includes(RECEIVER_BOUND) ? "*" : "";
}

/** What else is to be said, each once. */
function notesOf(rows: readonly Row[]): readonly string[] {
  const peersOf = new Map<string, string[]>();
  for (const { peer, violations, remarks } of rows) {
    const wrong = violations === undefined ? [] : [`void: ${violationsText(violations)}`];
    for (const note of [...wrong, ...remarks]) peersOf.set(note, [...(peersOf.get(note) ?? []), peer]);
  }
  return [...peersOf].map(([note, peers]) => {
    const who = peers.length === rows.length && rows.length > 1 ? "all" : peers.join(", ");
    const mark = note === RECEIVER_BOUND ? "* " : "";
    return wrapped(`${mark}${who}: ${note}`, WIDTH, "    ");
  });
}

function violationsText(violations: Violations): string {
  return Object.entries(violations)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(", ");
}
