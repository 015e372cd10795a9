import { CONTROL } from "../../command-line.ts";
import { FIGURES, type Figure } from "../../figures.ts";
import type { Results, Row } from "../../results.ts";
import { html, type Content, type Markup } from "../markup.ts";
import { countOf, percentOf, quantityOf, ratioOf } from "../../numbers.ts";
import { isHub, lettered } from "./looks.ts";
import { counts, isWithheldForReceivers } from "../../statistics/verdict.ts";
import { differenceOf } from "./verdicts.ts";

/** Where people look first: a turn that has something to batch, without being an extreme. */
const TYPICAL_TURN = 16;

const TYPICAL_LOAD = 0.75;

/** What the run has found, in one sentence. */
export function headlineOf({ rows }: Results): Markup {
  const row = headlineRow(rows);
  if (row?.ratio === undefined) return html`In this run no hub could be compared with the control`;
  const { peer, scenario, headline, case: name, parameters: { perTurn } = {} } = row;
  const number = html`<strong style="color: ${lettered(row)}">${ratioOf(row.ratio.median)}</strong>`;
  if (headline !== "cpu") {
    const { title } = FIGURES[headline];
    return html`On this machine the ${peer} has ${number} of the control’s ${title}: ${scenario}, ${name}`;
  }
  const turn = perTurn === 1 ? "one message" : `${countOf(perTurn ?? 0)} messages`;
  const where = perTurn === undefined ? `In ${scenario} (${name})` : `With ${turn} a turn`;
  return row.verdict === "same"
    ? html`${where}, no difference is shown between the ${peer} and a ws.send loop`
    : html`${where}, the ${peer} delivers for ${number} of what a ws.send loop costs`;
}

/** What else one should know, each in a sentence. */
export function statementsOf(results: Results): readonly Content[] {
  const valid = results.rows.filter(counts);
  const statements = [turnsOf(valid), latencyOf(valid), memoryOf(valid), faultsOf(results), gatesOf(results)];
  return statements.filter((statement) => statement !== undefined);
}

function headlineRow(rows: readonly Row[]): Row | undefined {
  const compared = rows.filter((row) => isHub(row) && row.load === undefined && row.ratio !== undefined && counts(row));
  return compared.toSorted((a, b) => interestOf(b) - interestOf(a))[0];
}

function interestOf({ headline, peer, parameters, scenario }: Row): number {
  const [isCost, isOnWs, isTypical] = [headline === "cpu", peer === "hub on ws", parameters?.perTurn === TYPICAL_TURN];
  return Number(isCost) * 8 + Number(isOnWs) * 4 + Number(isTypical) * 2 + Number(scenario === "burst");
}

function turnsOf(rows: readonly Row[]): Content {
  const headline = headlineRow(rows);
  if (headline === undefined) return undefined;
  const turns = rows
    .filter((row) => kindOf(row) === kindOf(headline))
    .flatMap((row) => (row.parameters?.perTurn ? [{ ...row, turn: row.parameters.perTurn }] : []))
    .toSorted((a, b) => a.turn - b.turn);
  const words = turns.map(({ verdict, ratio, turn }) => {
    return `${verdict === "same" ? "no difference shown" : ratioOf(ratio?.median ?? 1)} at ${turn}`;
  });
  if (turns.length < 2) return undefined;
  return html`What the ${headline.peer} costs of the control, by messages in a turn of the event loop:
  ${words.join(", ")}.`;
}

/** The same for rows that differ in the messages of a turn alone. */
function kindOf({ peer, scenario, headline, parameters, load }: Row): string {
  return JSON.stringify([peer, scenario, headline, parameters?.members, parameters?.size, load]);
}

function latencyOf(rows: readonly Row[]): Content {
  const loaded = rows.filter((row) => row.load === TYPICAL_LOAD);
  const found = comparedBy("p99", loaded);
  if (found === undefined) return undefined;
  return html`At ${percentOf(TYPICAL_LOAD)} of the load that the control can carry, 99 of 100 messages arrive within
  ${found.own} from the ${found.peer}, and within ${found.its} from the control (${found.scenario}, ${found.name}).`;
}

function memoryOf(rows: readonly Row[]): Content {
  // Of several numbers of connections the largest, which is the last.
  const found = comparedBy("residentPerConnection", rows.toReversed());
  if (found === undefined) return undefined;
  return html`An idle connection takes ${found.own} of resident memory on the ${found.peer}, and ${found.its} on the
  control, ${found.difference} (${found.name}).`;
}

/** A hub and the control in the first case that has both: on `ws`, if there is one. */
function comparedBy(figure: Figure, rows: readonly Row[]) {
  const measured = rows.flatMap((row) => {
    const { median = 0 } = row.figures[figure] ?? {};
    // Less than the noise of an empty server is nothing that can be compared.
    return median > 0 ? [{ ...row, name: row.case, median }] : [];
  });
  const hub = measured.find(({ peer }) => peer === "hub on ws") ?? measured.find(isHub);
  const control = measured.find((row) => row.peer === CONTROL && row.trial === hub?.trial && row.name === hub.name);
  if (hub === undefined || control === undefined) return undefined;
  const [own, its] = [hub, control].map(({ median }) => quantityOf(median, figure));
  return { ...hub, own, its, difference: differenceOf(hub.median / control.median, figure) };
}

function faultsOf({ rows }: Results): Markup {
  const wrong = rows.filter((row) => row.verdict === "void").length;
  const bound = rows.filter((row) => row.ratio !== undefined && isWithheldForReceivers(row)).length;
  const withheld = bound > 0 && ` In ${countOf(bound)} the receivers were the bottleneck, so no verdict is given.`;
  return wrong === 0
    ? html`No message was lost, doubled, reordered or misled in any of ${countOf(rows.length)} results.${withheld}`
    : html`${countOf(wrong)} of ${countOf(rows.length)} results are void, because messages were lost, doubled or misled;
      they are shown, but not compared.${withheld}`;
}

function gatesOf({ gates }: Results): Content {
  const count = (wanted: boolean | undefined): number => gates.filter(({ passed }) => passed === wanted).length;
  const [passed, measured, rest] = [count(true), gates.length - count(undefined), count(undefined)];
  const unmeasured = rest > 0 && `; ${countOf(rest)} could not be measured in this run`;
  return measured > 0 && html`${passed} of ${measured} <a href="#gates">gates</a> are passed${unmeasured}.`;
}
