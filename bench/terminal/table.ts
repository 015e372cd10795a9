import { FIGURES, type Figure } from "../figures.ts";
import type { Interval, Row, Verdict } from "../results.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { ENOUGH_ROUNDS, RECEIVER_BOUND } from "../statistics/verdict.ts";
import { aligned, wrapped, WIDTH } from "./text.ts";
import { grouped } from "../grouped.ts";
import { intervalOf, quantityOf, ratioOf } from "../numbers.ts";
import { violationsOf } from "../facts.ts";

/** What else is told where latency was measured. */
const OF_LATENCY: readonly Figure[] = ["p50", "p99.9", "max", "cpu"];

const TOO_FEW = `Fewer than ${ENOUGH_ROUNDS} rounds: take no interval seriously; nothing is called better or worse.`;

/** Colours of a terminal. */
const COLOURS: Readonly<Partial<Record<Verdict | "title", number>>> = {
  title: 1,
  better: 32,
  worse: 33,
  void: 31,
  withheld: 2,
};

/** All rows as a table for a terminal, one block for each case. */
export function tableOf(rows: readonly Row[], scenarios: readonly Scenario[], colours: boolean): string {
  const painted = (line: string, kind: Verdict | "title"): string => {
    const colour = COLOURS[kind];
    return colours && colour !== undefined ? `\u001B[${colour}m${line}\u001B[0m` : line;
  };
  const cases = grouped(rows, ({ scenario, trial, case: name, phase, load }) =>
    JSON.stringify([scenario, trial, name, phase, load]),
  );
  const blocks = [...cases.values()].map((block) => {
    const { scenario, case: name, load } = block[0] as Row;
    const at = load === undefined ? "" : `, at ${Math.round(load * 100)} % of the control's capacity`;
    const [head = "", ...body] = linesOf(block, figuresOf(block, scenarios));
    const lines = body.map((line, index) => painted(line, block[index]?.verdict ?? "control"));
    return [painted(`${scenario}: ${name}${at}`, "title"), head, ...lines, ...notesOf(block)].join("\n");
  });
  return [...blocks, ...(rows.some((row) => row.slices < ENOUGH_ROUNDS) ? [TOO_FEW] : [])].join("\n\n");
}

/** The figures beside the headline, the least important last: as many as there is room for. */
function figuresOf(rows: readonly Row[], scenarios: readonly Scenario[]): readonly Figure[] {
  const { scenario: name, headline, phase } = rows[0] as Row;
  const { also = [], headline: asked } = scenarios.find((scenario) => scenario.name === name) ?? {};
  const all = phase === "capacity" ? also : asked === headline ? [...also, ...OF_LATENCY] : [...OF_LATENCY, ...also];
  const shown = [...new Set(all)].filter(
    (figure) => figure !== headline && rows.some(({ figures }) => figures[figure]),
  );
  while (shown.length > 0 && linesOf(rows, shown).some((line) => line.length > WIDTH)) shown.pop();
  return shown;
}

function linesOf(rows: readonly Row[], others: readonly Figure[]): readonly string[] {
  const headline = rows[0]?.headline ?? "cpu";
  const floor = rows.some((row) => row.toFloor !== undefined) ? ["/floor"] : [];
  const titles = others.map((figure) => FIGURES[figure].column);
  const quantity = (value: number): string => quantityOf(value, headline);
  const body = rows.map(({ peer, slices, ratio, toFloor, figures, verdict, remarks }) => {
    // Where the receivers were the bottleneck, deliveries a second say what these can do.
    const mark = (figure: Figure): string => (figure === "throughput" && remarks.includes(RECEIVER_BOUND) ? "*" : "");
    return [
      peer,
      medianOf(figures[headline], quantity),
      slices === 1 ? "" : rangeOf(figures[headline], quantity),
      verdict === "control" ? "1" : medianOf(ratio),
      slices === 1 ? "" : rangeOf(ratio),
      verdict,
      ...floor.map(() => medianOf(toFloor)),
      ...others.map((figure) => medianOf(figures[figure], (value) => quantityOf(value, figure) + mark(figure))),
    ];
  });
  const head = ["peer", FIGURES[headline].column, "95 %", "ratio", "95 %", "verdict", ...floor, ...titles];
  return aligned([head, ...body], [0, 2, 4, 5]);
}

function medianOf(measured: Interval | undefined, textOf = ratioOf): string {
  return measured === undefined ? "" : textOf(measured.median);
}

function rangeOf(measured: Interval | undefined, textOf = ratioOf): string {
  return measured === undefined ? "" : intervalOf(measured, textOf);
}

/** What else is to be said, each once. */
function notesOf(rows: readonly Row[]): readonly string[] {
  const notes = rows.flatMap(({ peer, violations, remarks }) => {
    const wrong = violations === undefined ? [] : [`void: ${violationsOf(violations)}`];
    return [...wrong, ...remarks].map((note) => ({ note, peer }));
  });
  return [...grouped(notes, ({ note }) => note)].map(([note, found]) => {
    const who = found.length === rows.length && rows.length > 1 ? "all" : found.map(({ peer }) => peer).join(", ");
    return wrapped(`${note === RECEIVER_BOUND ? "* " : ""}${who}: ${note}`);
  });
}
