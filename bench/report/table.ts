import { FIGURES, type Figure } from "../figures.ts";
import type { Row, Verdict } from "../results.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { RECEIVER_BOUND } from "../statistics/rows.ts";
import { ENOUGH_ROUNDS } from "../statistics/verdict.ts";
import { grouped } from "./grouped.ts";
import { violationsOf } from "./page/verdicts.ts";
import { aligned, figureText, intervalText, numberText, wrapped, WIDTH } from "./text.ts";

/** What else is told where latency was measured. */
const OF_LATENCY: readonly Figure[] = ["p50", "p99.9", "max", "cpu"];

const TOO_FEW = `Fewer than ${ENOUGH_ROUNDS} rounds: take no interval seriously; nothing is called better or worse.`;

/** Colours of a terminal. */
const COLOURS: Readonly<Partial<Record<Verdict, number>>> = { better: 32, worse: 33, void: 31, withheld: 2 };
const BOLD = 1;

/** All rows as a table for a terminal, one block for each case. */
export function tableOf(rows: readonly Row[], scenarios: readonly Scenario[], colours: boolean): string {
  const cases = grouped(rows, ({ scenario, trial, case: name, phase, load }) =>
    JSON.stringify([scenario, trial, name, phase, load]),
  );
  const painted = (line: string, code: number | undefined): string =>
    code !== undefined && colours ? `\u001B[${code}m${line}\u001B[0m` : line;
  const blocks = [...cases.values()].map((block) => {
    const [head = "", ...body] = linesOf(block, figuresOf(block, scenarios));
    const lines = body.map((line, index) => painted(line, COLOURS[block[index]?.verdict ?? "control"]));
    return [painted(titleOf(block), BOLD), head, ...lines, ...notesOf(block)].join("\n");
  });
  return [...blocks, ...(rows.some((row) => row.slices < ENOUGH_ROUNDS) ? [TOO_FEW] : [])].join("\n\n");
}

function titleOf([row]: readonly Row[]): string {
  const at = row?.load === undefined ? "" : `, at ${Math.round(row.load * 100)} % of the control's capacity`;
  return `${row?.scenario}: ${row?.case}${at}`;
}

/** The figures beside the headline, the least important last: as many as there is room for. */
function figuresOf(rows: readonly Row[], scenarios: readonly Scenario[]): readonly Figure[] {
  const [row] = rows;
  const scenario = scenarios.find(({ name }) => name === row?.scenario);
  const also = scenario?.also ?? [];
  const asksForLatency = scenario?.headline === row?.headline;
  const figures =
    row?.phase === "capacity" ? also : asksForLatency ? [...also, ...OF_LATENCY] : [...OF_LATENCY, ...also];
  const shown = [...new Set(figures)].filter(
    (figure) => figure !== row?.headline && rows.some((each) => figure in each.figures),
  );
  while (shown.length > 0 && linesOf(rows, shown).some((line) => line.length > WIDTH)) shown.pop();
  return shown;
}

function linesOf(rows: readonly Row[], figures: readonly Figure[]): readonly string[] {
  const headline = rows[0]?.headline ?? "cpu";
  const withFloor = rows.some((row) => row.toFloor !== undefined);
  const titles = figures.map((figure) => FIGURES[figure].column);
  const head = ["peer", FIGURES[headline].column, "95 %", "ratio", "95 %", "verdict", ...(withFloor ? ["/floor"] : [])];
  const body = rows.map((row) => {
    const { ratio, toFloor } = row;
    const main = row.figures[headline];
    return [
      row.peer,
      main === undefined ? "" : figureText(headline, main.median),
      main === undefined || row.slices === 1 ? "" : intervalText(main, (value) => figureText(headline, value)),
      row.verdict === "control" ? "1" : ratio === undefined ? "" : numberText(ratio.median),
      ratio === undefined || row.slices === 1 ? "" : intervalText(ratio),
      row.verdict,
      ...(withFloor ? [toFloor === undefined ? "" : numberText(toFloor.median)] : []),
      ...figures.map((figure) => {
        const measured = row.figures[figure];
        // Where the receivers were the bottleneck, deliveries a second say what these can do.
        const mark = figure === "throughput" && row.remarks.includes(RECEIVER_BOUND) ? "*" : "";
        return measured === undefined ? "" : figureText(figure, measured.median) + mark;
      }),
    ];
  });
  return aligned([[...head, ...titles], ...body], [0, 2, 4, 5]);
}

/** What else is to be said, each once. */
function notesOf(rows: readonly Row[]): readonly string[] {
  const said = rows.flatMap(({ peer, violations, remarks }) => {
    const wrong = violations === undefined ? [] : [`void: ${violationsOf(violations)}`];
    return [...wrong, ...remarks].map((note) => ({ note, peer }));
  });
  return [...grouped(said, ({ note }) => note)].map(([note, sayings]) => {
    const isOfAll = sayings.length === rows.length && rows.length > 1;
    const who = isOfAll ? "all" : sayings.map(({ peer }) => peer).join(", ");
    return wrapped(`${note === RECEIVER_BOUND ? "* " : ""}${who}: ${note}`);
  });
}
