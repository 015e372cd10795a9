import { CONTROL } from "../../command-line.ts";
import { FIGURES, type Figure } from "../../figures.ts";
import { html, type Markup } from "../markup.ts";
import { inOrder } from "../page/looks.ts";
import { countOf, quantityIntervalOf, quantityOf, ratioIntervalOf, ratioOf } from "../page/numbers.ts";
import type { Row } from "../../results.ts";
import { curveOf, type Line } from "./curve.ts";
import { numbersTable } from "./frame.ts";
import { grouped } from "./grouped.ts";

/** What a delivery costs, against how many messages leave in one turn of the event loop; and the writes, which explain it. */
export function batchingCharts(rows: readonly Row[]): readonly Markup[] {
  const groups = grouped(
    rows.filter((row) => row.phase === "capacity" && row.parameters?.perTurn !== undefined && row.verdict !== "void"),
    (row) => JSON.stringify([row.scenario, { ...row.parameters, perTurn: undefined }]),
  );
  const curves = [...groups.values()].filter((group) => new Set(group.map(perTurnOf)).size > 1);
  return curves.map((group, index) => {
    const id = `batching-${index}`;
    return html`<section class="group">
      <h3>${group[0]?.scenario} <span class="measure">${conditionsOf(group)}</span></h3>
      <div class="curves">
        ${curveFor(group, "cpu", 380, `${id}-cpu`)}${curveFor(group, "writes", 380, `${id}-writes`)}
      </div>
      ${numbersOf(group)}
    </section>`;
  });
}

function curveFor(rows: readonly Row[], figure: Figure, height: number, id: string): Markup {
  const lines = [...linesOf(rows, figure), ...(figure === "cpu" ? floorOf(rows) : [])];
  if (lines.every((line) => line.points.length < 2)) return html``;
  const words = lines.map(({ peer, points }) => {
    const values = points.map(({ x, y }) => `${quantityOf(y, figure)} at ${x}`);
    return `${peer}: ${values.join(", ")}`;
  });
  const title = `${FIGURES[figure].title}, against messages a turn`;
  return html`<figure class="panel">
    <figcaption>${FIGURES[figure].title}</figcaption>
    ${curveOf({
      id,
      title,
      description: `${words.join("; ")}.`,
      height,
      lines,
      xTitle: "messages in one turn of the event loop",
      textOf: (value) => quantityOf(value, figure),
    })}
  </figure>`;
}

function linesOf(rows: readonly Row[], figure: Figure): readonly Line[] {
  return [...grouped(rows, (row) => row.peer).values()].flatMap((peers) => {
    const points = peers.flatMap((row) => {
      const measured = row.figures[figure];
      if (measured === undefined) return [];
      return [{ x: perTurnOf(row), y: measured.median, low: measured.low, high: measured.high }];
    });
    const peer = peers[0]?.peer;
    if (peer === undefined || points.length === 0) return [];
    return [{ peer, points: points.toSorted((a, b) => a.x - b.x) }];
  });
}

/** What bare writes cost, by what the control costs and how many times as much that is. */
function floorOf(rows: readonly Row[]): readonly Line[] {
  const points = rows.flatMap((row) => {
    const [cpu, toFloor] = [row.figures.cpu, row.toFloor];
    if (row.peer !== CONTROL || cpu === undefined || toFloor === undefined) return [];
    const y = cpu.median / toFloor.median;
    return [{ x: perTurnOf(row), y, low: y, high: y }];
  });
  return points.length === 0 ? [] : [{ peer: "floor", points: points.toSorted((a, b) => a.x - b.x) }];
}

function numbersOf(rows: readonly Row[]): Markup {
  const sorted = inOrder(
    rows.toSorted((a, b) => perTurnOf(a) - perTurnOf(b)),
    (row) => row.peer,
  );
  return numbersTable(
    ["peer", "messages a turn", FIGURES.cpu.title, "to bare writes", FIGURES.writes.title],
    sorted.map(({ peer, parameters, figures, toFloor }) => [
      peer,
      parameters?.perTurn,
      figures.cpu !== undefined && quantityIntervalOf(figures.cpu, "cpu"),
      toFloor !== undefined && `${ratioOf(toFloor.median)} (${ratioIntervalOf(toFloor)})`,
      figures.writes !== undefined && quantityIntervalOf(figures.writes, "writes"),
    ]),
  );
}

function conditionsOf([row]: readonly Row[]): string {
  const { members, size } = row?.parameters ?? {};
  const words = [members !== undefined && `${countOf(members)} members`, size !== undefined && `${countOf(size)} B`];
  return words.filter((word) => word !== false).join(", ");
}

function perTurnOf(row: Row): number {
  return row.parameters?.perTurn ?? 1;
}
