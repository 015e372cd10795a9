import { CONTROL } from "../../command-line.ts";
import { FIGURES } from "../../figures.ts";
import type { Results, Row } from "../../results.ts";
import { html, type Content, type Markup } from "../markup.ts";
import { countOf, percentOf, quantityOf, ratioOf } from "../numbers.ts";
import { isHub, lettered } from "./looks.ts";
import { counts, differenceOf, isWithheldForReceivers } from "./verdicts.ts";

/** Where people look first: a turn that has something to batch, without being an extreme. */
const TYPICAL_TURN = 16;

const TYPICAL_LOAD = 0.75;

/** What the run has found, in one sentence. */
export function headlineOf({ rows }: Results): Markup {
  const row = headlineRow(rows);
  if (row?.ratio === undefined) return html`In this run no hub could be compared with the control`;
  const number = html`<strong style="color: ${lettered(row)}">${ratioOf(row.ratio.median)}</strong>`;
  if (row.headline !== "cpu") {
    const { title } = FIGURES[row.headline];
    return html`On this machine the ${row.peer} has ${number} of the control’s ${title}: ${row.scenario}, ${row.case}`;
  }
  const perTurn = row.parameters?.perTurn;
  const turn = perTurn === 1 ? "one message" : `${countOf(perTurn ?? 0)} messages`;
  const where = perTurn === undefined ? `In ${row.scenario} (${row.case})` : `With ${turn} a turn`;
  return row.verdict === "same"
    ? html`${where}, no difference is shown between the ${row.peer} and a ws.send loop`
    : html`${where}, the ${row.peer} delivers for ${number} of what a ws.send loop costs`;
}

/** What else one should know, each in a sentence. */
export function statementsOf(results: Results): readonly Content[] {
  const { rows } = results;
  const valid = rows.filter(counts);
  const statements = [
    turnsOf(valid, headlineRow(rows)),
    latencyOf(valid),
    memoryOf(valid),
    faultsOf(rows),
    gatesOf(results),
  ];
  return statements.filter((statement) => statement !== undefined);
}

function headlineRow(rows: readonly Row[]): Row | undefined {
  const interestOf = (row: Row): number =>
    (row.headline === "cpu" ? 8 : 0) +
    (row.peer === "hub on ws" ? 4 : 0) +
    (row.parameters?.perTurn === TYPICAL_TURN ? 2 : 0) +
    (row.scenario === "burst" ? 1 : 0);
  return rows
    .filter((row) => isHub(row) && row.load === undefined && row.ratio !== undefined && counts(row))
    .toSorted((a, b) => interestOf(b) - interestOf(a))[0];
}

function turnsOf(rows: readonly Row[], headline: Row | undefined): Content {
  const kindOf = ({ peer, scenario, headline: figure, parameters, load }: Row): string =>
    JSON.stringify([peer, scenario, figure, parameters?.members, parameters?.size, load]);
  const turns = rows
    .filter(
      (row) => headline !== undefined && kindOf(row) === kindOf(headline) && row.parameters?.perTurn !== undefined,
    )
    .flatMap(({ parameters, ratio, verdict }) => (ratio ? [{ turn: parameters?.perTurn ?? 1, ratio, verdict }] : []))
    .toSorted((a, b) => a.turn - b.turn);
  if (turns.length < 2) return undefined;
  const words = turns.map(({ turn, ratio, verdict }, index) =>
    verdict === "same"
      ? `no difference shown at ${turn}`
      : `${ratioOf(ratio.median)}${index === 0 ? " of the control" : ""} at ${turn}`,
  );
  return html`What the ${headline?.peer} costs, by messages in a turn of the event loop: ${words.join(", ")}.`;
}

function latencyOf(rows: readonly Row[]): Content {
  const measured = rows.filter((row) => row.load === TYPICAL_LOAD && row.figures.p99 !== undefined);
  const [hub, control] = hubAndControl(measured);
  const [own, its] = [hub?.figures.p99, control?.figures.p99];
  if (hub === undefined || own === undefined || its === undefined) return undefined;
  return html`At ${percentOf(TYPICAL_LOAD)} of the load that the control can carry, 99 of 100 messages arrive within
  ${quantityOf(own.median, "p99")} from the ${hub.peer}, and within ${quantityOf(its.median, "p99")} from the control
  (${hub.scenario}, ${hub.case}).`;
}

function memoryOf(rows: readonly Row[]): Content {
  const figure = "residentPerConnection";
  // Of several numbers of connections the largest, which is the last.
  const [hub, control] = hubAndControl(rows.filter((row) => row.figures[figure] !== undefined).toReversed());
  const [own = 0, its = 0] = [hub?.figures[figure]?.median, control?.figures[figure]?.median];
  // Less than the noise of an empty server is nothing that can be compared.
  if (hub === undefined || own <= 0 || its <= 0) return undefined;
  return html`An idle connection takes ${quantityOf(own, figure)} of resident memory on the ${hub.peer}, and
  ${quantityOf(its, figure)} on the control, ${differenceOf(own / its, figure)} (${hub.case}).`;
}

/** The first case in which both were measured with success: on `ws`, if there is one. */
function hubAndControl(rows: readonly Row[]): readonly [hub: Row | undefined, control: Row | undefined] {
  const hub = rows.find((row) => row.peer === "hub on ws") ?? rows.find((row) => isHub(row));
  const isSame = (row: Row): boolean =>
    row.scenario === hub?.scenario && row.case === hub.case && row.trial === hub.trial;
  return [hub, rows.find((row) => row.peer === CONTROL && isSame(row))];
}

function faultsOf(rows: readonly Row[]): Markup {
  const wrong = rows.filter((row) => row.verdict === "void").length;
  const bound = rows.filter((row) => row.ratio !== undefined && isWithheldForReceivers(row)).length;
  const withheld = bound > 0 && ` In ${countOf(bound)} the receivers were the bottleneck, so no verdict is given.`;
  return wrong > 0
    ? html`${countOf(wrong)} of ${countOf(rows.length)} results are void, because messages were lost, doubled or misled;
      they are shown, but not compared.${withheld}`
    : html`No message was lost, doubled, reordered or misled in any of ${countOf(rows.length)} results.${withheld}`;
}

function gatesOf({ gates }: Results): Content {
  const measured = gates.filter((gate) => gate.passed !== undefined);
  if (measured.length === 0) return undefined;
  const passed = measured.filter((gate) => gate.passed === true).length;
  const rest = gates.length - measured.length;
  return html`${countOf(passed)} of ${countOf(measured.length)} <a href="#gates">gates</a> are
    passed${rest > 0 && `; ${countOf(rest)} could not be measured in this run`}.`;
}
