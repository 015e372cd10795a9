import { CONTROL } from "../../command-line.ts";
import { FIGURES, type Figure } from "../../figures.ts";
import { html, type Markup } from "../markup.ts";
import type { Gate, Results, Row } from "../../results.ts";
import { lookOf } from "./looks.ts";
import { countOf, percentOf, quantityOf, ratioOf } from "./numbers.ts";
import { counts, differenceOf, isWithheldForReceivers } from "./verdicts.ts";

/** Where people look first: a turn that has something to batch, without being an extreme. */
const TYPICAL_TURN = 16;

const TYPICAL_LOAD = 0.75;

/** What the run has found, in one sentence. */
export function headlineOf({ rows }: Results): Markup {
  const row = headlineRow(rows);
  if (row === undefined) return html`In this run no hub could be compared with the control`;
  const ratio = row.ratio?.median ?? 1;
  const { className } = lookOf(row.peer);
  const number = html`<strong class="${className}">${ratioOf(ratio)}</strong>`;
  if (row.headline !== "cpu") {
    const { title } = FIGURES[row.headline];
    return html`On this machine the ${row.peer} has ${number} of the control’s ${title}: ${row.scenario}, ${row.case}`;
  }
  if (row.verdict === "same") {
    return html`${circumstancesOf(row)}, no difference is shown between the ${row.peer} and a ws.send loop`;
  }
  return html`${circumstancesOf(row)}, the ${row.peer} delivers for ${number} of what a ws.send loop costs`;
}

/** What else one should know, each in a sentence. */
export function statementsOf(results: Results): readonly Markup[] {
  const { rows, gates } = results;
  const row = headlineRow(rows);
  return [
    row !== undefined && turnsOf(rows, row),
    latencyOf(rows),
    memoryOf(rows),
    correctnessOf(rows),
    gatesOf(gates),
  ].filter((statement) => statement !== undefined && statement !== false);
}

function headlineRow(rows: readonly Row[]): Row | undefined {
  const compared = rows.filter(
    (row) => lookOf(row.peer).isHub && row.load === undefined && row.ratio !== undefined && counts(row),
  );
  const costs = compared.filter((row) => row.headline === "cpu");
  return [...costs, ...compared].toSorted((a, b) => interestOf(b) - interestOf(a))[0];
}

function interestOf(row: Row): number {
  return (
    (row.headline === "cpu" ? 8 : 0) +
    (row.peer === "hub on ws" ? 4 : 0) +
    (row.parameters?.perTurn === TYPICAL_TURN ? 2 : 0) +
    (row.scenario === "burst" ? 1 : 0)
  );
}

function circumstancesOf({ scenario, parameters, case: name }: Row): string {
  const perTurn = parameters?.perTurn;
  if (perTurn === undefined) return `In ${scenario} (${name})`;
  return `With ${perTurn === 1 ? "one message" : `${countOf(perTurn)} messages`} a turn`;
}

function turnsOf(rows: readonly Row[], headline: Row): Markup | undefined {
  const { parameters } = headline;
  const others = rows.filter(
    (row) =>
      row.peer === headline.peer &&
      row.scenario === headline.scenario &&
      row.headline === headline.headline &&
      row.parameters?.members === parameters?.members &&
      row.parameters?.size === parameters?.size &&
      row.parameters?.perTurn !== undefined &&
      row.load === undefined &&
      counts(row),
  );
  const points = others.flatMap(({ parameters: { perTurn = 1 } = {}, ratio, verdict }) =>
    ratio === undefined ? [] : [{ perTurn, ratio: ratio.median, verdict }],
  );
  if (points.length < 2) return undefined;
  const words = points
    .toSorted((a, b) => a.perTurn - b.perTurn)
    .map(({ perTurn, ratio, verdict }, index) => {
      if (verdict === "same") return `no difference shown at ${perTurn}`;
      return `${ratioOf(ratio)}${index === 0 ? " of the control" : ""} at ${perTurn}`;
    });
  return html`What the ${headline.peer} costs, by messages in a turn of the event loop: ${words.join(", ")}.`;
}

function latencyOf(rows: readonly Row[]): Markup | undefined {
  const measured = rows.filter((row) => row.load === TYPICAL_LOAD && row.figures.p99 !== undefined && counts(row));
  const hub = measured.find((row) => lookOf(row.peer).isHub);
  const control = measured.find(
    (row) => row.peer === CONTROL && row.scenario === hub?.scenario && row.case === hub.case && row.trial === hub.trial,
  );
  const [own, its] = [hub?.figures.p99, control?.figures.p99];
  if (hub === undefined || own === undefined || its === undefined) return undefined;
  return html`At ${percentOf(TYPICAL_LOAD)} of the load that the control can carry, 99 of 100 messages arrive within
  ${quantityOf(own.median, "p99")} from the ${hub.peer}, and within ${quantityOf(its.median, "p99")} from the control
  (${hub.scenario}, ${hub.case}).`;
}

function memoryOf(rows: readonly Row[]): Markup | undefined {
  const figure: Figure = "residentPerConnection";
  const measured = rows.filter((row) => row.figures[figure] !== undefined && counts(row));
  const hub =
    measured.findLast((row) => row.peer === "hub on ws") ?? measured.findLast((row) => lookOf(row.peer).isHub);
  const control = measured.find((row) => row.peer === CONTROL && row.case === hub?.case);
  const [own, its] = [hub?.figures[figure]?.median, control?.figures[figure]?.median];
  // Less than the noise of an empty server is nothing that can be compared.
  if (hub === undefined || own === undefined || its === undefined || own <= 0 || its <= 0) return undefined;
  return html`An idle connection takes ${quantityOf(own, figure)} of resident memory on the ${hub.peer}, and
  ${quantityOf(its, figure)} on the control, ${differenceOf(own / its, figure)} (${hub.case}).`;
}

function correctnessOf(rows: readonly Row[]): Markup {
  const wrong = rows.filter((row) => row.verdict === "void").length;
  const bound = rows.filter((row) => row.ratio !== undefined && isWithheldForReceivers(row)).length;
  const withheld =
    bound === 0 ? "" : ` In ${countOf(bound)} the receivers were the bottleneck, so no verdict is given.`;
  if (wrong > 0) {
    return html`${countOf(wrong)} of ${countOf(rows.length)} results are void, because messages were lost, doubled or
    misled; they are shown, but not compared.${withheld}`;
  }
  return html`No message was lost, doubled, reordered or misled in any of ${countOf(rows.length)} results.${withheld}`;
}

function gatesOf(gates: readonly Gate[]): Markup | undefined {
  const measured = gates.filter((gate) => gate.passed !== undefined);
  if (measured.length === 0) return undefined;
  const passed = measured.filter((gate) => gate.passed === true).length;
  const rest = gates.length - measured.length;
  const unmeasured = rest === 0 ? "" : `; ${countOf(rest)} could not be measured in this run`;
  return html`${countOf(passed)} of ${countOf(measured.length)} <a href="#gates">gates</a> are passed${unmeasured}.`;
}
