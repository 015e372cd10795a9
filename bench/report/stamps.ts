import { DISTURBED } from "../coordinator/disturbance.ts";
import { FIGURES, type Slice } from "../figures.ts";
import type { Gate, Results, Row } from "../results.ts";
import { isDisturbed } from "../statistics/evidence.ts";
import { aligned, wrapped } from "../text.ts";
import { intervalOf, numberOf, quantityOf, ratioOf } from "./numbers.ts";

/** Something with a name: a fact of the machine, the settings of a peer. */
type Fact = readonly [name: string, values: readonly string[]];

/** What the columns of the table are. */
export const LEGEND: string = wrapped(
  "CPU: the server's, for one delivery; ratio: to the control; 95 %: bootstrap interval; /floor: to bare writes; " +
    "*: receiver-bound",
);

/** Where it ran, on what, and for how long. */
export function factsOf({ machine, started, seconds }: Results): readonly Fact[] {
  const minutes = Math.floor(seconds / 60);
  const time = minutes === 0 ? `${numberOf(seconds)} s` : `${minutes} min ${Math.round(seconds % 60)} s`;
  return [
    ["CPU", [machine.cpu, `${machine.cores} ${machine.cores === 1 ? "core" : "cores"}`]],
    ["Memory", [quantityOf(machine.memory, "peakResident")]],
    ["System", [machine.system]],
    ["Node.js", [machine.node]],
    ["Libraries", Object.entries(machine.packages).map((words) => words.join(" "))],
    ["Cores", [machine.pinning]],
    ["Run", [started.replace("T", " ").replace(/\.\d+Z$/, " UTC"), time]],
  ];
}

/** What each peer was set to; what all have in common is said once. */
export function settingsOf({ peers }: Results): readonly Fact[] {
  const present = peers.filter(({ unavailable }) => unavailable === undefined);
  const all = present.map(({ name, settings }): Fact => [
    name,
    Object.entries(settings).map((words) => words.join(": ")),
  ]);
  const isCommon = (setting: string): boolean => all.length > 1 && all.every(([, own]) => own.includes(setting));
  const common: Fact = [all.map(([name]) => name).join(", "), all[0]?.[1].filter(isCommon) ?? []];
  const rest = all.map(([name, own]): Fact => [name, own.filter((setting) => !isCommon(setting))]);
  return [common, ...rest].filter(([, settings]) => settings.length > 0);
}

/** Who took no part in what, and which slices did not come to their end; each said once. */
export function exceptionsOf({ peers, absences = [], slices }: Results): readonly string[] {
  const gone = peers.flatMap(({ name, unavailable }) => (unavailable ? [{ name, unavailable }] : []));
  const partly = absences.filter(({ peer }) => !gone.some(({ name }) => name === peer));
  return [
    ...gone.map(({ name, unavailable }) => `${name} took no part: ${unavailable}`),
    ...new Set(partly.map(({ peer, scenario, reason }) => `${peer} took no part in ${scenario}: ${reason}`)),
    ...slices.flatMap(({ scenario, trial, phase, peer, round, failure }) =>
      failure === undefined ? [] : [`${scenario}, ${trial}, ${phase}, ${peer}, round ${round + 1} failed: ${failure}`],
    ),
  ];
}

/** What stands below the table. */
export function notesText(results: Results): string {
  const notes = [...emptyRowsOf(results.rows), disturbanceOf(results.slices), ...exceptionsOf(results)];
  return notes.map((note) => wrapped(note)).join("\n");
}

export function factsText(facts: readonly Fact[]): string {
  return facts.map(([name, values]) => wrapped(`${name}: ${values.join("; ")}`)).join("\n");
}

export function isEmpty({ figures, headline }: Row): boolean {
  return figures[headline] === undefined;
}

/** Rows without the figure that they are about. */
function emptyRowsOf(rows: readonly Row[]): readonly string[] {
  return rows.filter(isEmpty).map(({ scenario, case: name, peer, headline }) => {
    return `${scenario}, ${name}, ${peer} measured nothing: it has no ${FIGURES[headline].title}`;
  });
}

/** How quiet the machine was. */
function disturbanceOf(all: readonly Slice[]): string {
  const slices = all.filter(({ failure }) => failure === undefined);
  if (slices.every(({ disturbance }) => disturbance === undefined)) {
    return `Whether other programs disturbed the ${slices.length} slices is not known here.`;
  }
  const disturbed = slices.filter((slice) => isDisturbed(slice)).length;
  const limit = `${DISTURBED * 100} % of a core, or the server waited that long for its own`;
  return `${disturbed} of ${slices.length} slices were disturbed: other programs used more than ${limit}.`;
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
