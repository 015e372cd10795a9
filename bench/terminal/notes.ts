import { notesOf, type Fact } from "../facts.ts";
import { intervalOf, ratioOf } from "../numbers.ts";
import type { Gate, Results } from "../results.ts";
import { aligned, wrapped } from "./text.ts";

/** What the columns of the table are. */
export const LEGEND: string = wrapped(
  "CPU: the server's, for one delivery; ratio: to the control; 95 %: bootstrap interval; /floor: to bare writes; " +
    "*: receiver-bound",
);

export function factsText(facts: readonly Fact[]): string {
  return facts.map(([name, values]) => wrapped(`${name}: ${values.join("; ")}`)).join("\n");
}

/** What stands below the table. */
export function notesText(results: Results): string {
  return notesOf(results)
    .map((note) => wrapped(note))
    .join("\n");
}

export function gatesText(gates: readonly Gate[]): string {
  const rows = gates.map(({ name, limit, measured, passed }) => [
    name,
    `<= ${ratioOf(limit)}`,
    measured === undefined ? "" : ratioOf(measured.median),
    measured === undefined ? "" : intervalOf(measured),
    passed === undefined ? "not measured" : passed ? "passed" : "FAILED",
  ]);
  const count = (wanted: Gate["passed"]): number => gates.filter(({ passed }) => passed === wanted).length;
  const sum = `${count(true)} passed, ${count(false)} failed, ${count(undefined)} not measured`;
  return [...aligned([["gate", "limit", "measured", "95 %", ""], ...rows], [0, 3, 4]), sum].join("\n");
}
