import { CONTROL } from "../../command-line.ts";
import { FIGURES, type Figure } from "../../figures.ts";
import type { Results, Row } from "../../results.ts";
import { html, type Content, type Markup } from "../markup.ts";
import { countOf, percentOf, quantityOf, ratioOf } from "../../numbers.ts";
import { isHub, lettered } from "./looks.ts";
import { counts, isWithheldForReceivers } from "../../statistics/verdict.ts";
import { byCase } from "./tables.ts";
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
  const loaded = valid.filter((row) => row.load === TYPICAL_LOAD);
  const load = percentOf(TYPICAL_LOAD);
  const statements = [
    turnsOf(valid),
    comparedBy("p99", loaded, ({ scenario, case: name, peer }, own, its) => {
      return html`At ${load} of the load that the control can carry, 99 of 100 messages arrive within ${own} from the
      ${peer}, and within ${its} from the control (${scenario}, ${name}).`;
    }),
    // Of several numbers of connections the largest, which is the last.
    comparedBy("residentPerConnection", valid.toReversed(), ({ case: name, peer }, own, its, difference) => {
      return html`An idle connection takes ${own} of resident memory on the ${peer}, and ${its} on the control,
      ${difference} (${name}).`;
    }),
    faultsOf(results),
    gatesOf(results),
  ];
  return statements.filter((statement) => statement !== undefined && statement !== false);
}

function headlineRow(rows: readonly Row[]): Row | undefined {
  const compared = rows.filter((row) => isHub(row) && row.load === undefined && row.ratio !== undefined && counts(row));
  const costs = compared.filter(({ headline }) => headline === "cpu");
  const typical = costs.find(({ peer, parameters }) => peer === "hub on ws" && parameters?.perTurn === TYPICAL_TURN);
  return typical ?? costs[0] ?? compared[0];
}

function turnsOf(rows: readonly Row[]): Content {
  const { peer, scenario, parameters } = headlineRow(rows) ?? {};
  const like = rows.filter((row) => row.peer === peer && row.scenario === scenario && row.load === undefined);
  const words = like.flatMap(({ ratio, verdict, parameters: { perTurn, members, size } = {} }) => {
    if (!ratio || !perTurn || members !== parameters?.members || size !== parameters?.size) return [];
    return [`${verdict === "same" ? "no difference" : ratioOf(ratio.median)} at ${perTurn}`];
  });
  const told = words.join(", ");
  return words.length > 1 && html`What the ${peer} costs, to the control’s, by messages in a turn: ${told}.`;
}

type Sentence = (hub: Row, own: string, its: string, difference: string) => Markup;

/** What is said of a hub, on `ws` if there is one, and of the control in the same case. */
function comparedBy(figure: Figure, rows: readonly Row[], sentence: Sentence): Content {
  // Less than the noise of an empty server is nothing that can be compared.
  const measured = rows.filter(({ figures }) => (figures[figure]?.median ?? 0) > 0);
  const hub = measured.find(({ peer }) => peer === "hub on ws") ?? measured.find(isHub);
  const same = byCase(measured).find((members) => hub !== undefined && members.includes(hub));
  const control = same?.find(({ peer }) => peer === CONTROL);
  const [own, its] = [hub?.figures[figure]?.median, control?.figures[figure]?.median];
  if (hub === undefined || own === undefined || its === undefined) return undefined;
  return sentence(hub, quantityOf(own, figure), quantityOf(its, figure), differenceOf(own / its, figure));
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
