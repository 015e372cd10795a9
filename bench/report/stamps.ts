import { DISTURBED } from "../coordinator/disturbance.ts";
import { FIGURES, type Slice } from "../figures.ts";
import type { Gate, Results, Row } from "../results.ts";
import { isDisturbed } from "../statistics/evidence.ts";
import { numberOf, quantityOf } from "./numbers.ts";
import { aligned, intervalText, numberText, wrapped } from "./text.ts";

/** What the columns of the table are. */
export const LEGEND: string = wrapped(
  "CPU: the server's, for one delivery; ratio: to the control; 95 %: bootstrap interval; /floor: to bare writes; " +
    "*: receiver-bound",
);

/** Where it ran, on what, and for how long. */
export function factsOf({ machine, started, seconds }: Results): readonly (readonly [name: string, value: string])[] {
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  const minutes = Math.floor(seconds / 60);
  const time = minutes === 0 ? `${numberOf(seconds)} s` : `${minutes} min ${Math.round(seconds % 60)} s`;
  return [
    ["CPU", `${machine.cpu}, ${machine.cores} ${machine.cores === 1 ? "core" : "cores"}`],
    ["Memory", quantityOf(machine.memory, "peakResident")],
    ["System", machine.system],
    ["Node.js", machine.node],
    ["Libraries", packages.join(", ")],
    ["Cores", machine.pinning],
    ["Run", `${started.replace("T", " ").replace(/\.\d+Z$/, " UTC")}, ${time}`],
  ];
}

export function factsText(results: Results): string {
  return textOf(factsOf(results).map(([name, value]) => `${name}: ${value}`));
}

/** Rows without the figure that they are about. */
export function emptyRowsText(rows: readonly Row[]): string {
  return textOf(
    rows
      .filter((row) => isEmpty(row))
      .map(({ scenario, case: name, peer, headline }) => {
        return `${scenario}, ${name}, ${peer} measured nothing: it has no ${FIGURES[headline].title}`;
      }),
  );
}

export function isEmpty({ figures, headline }: Row): boolean {
  return figures[headline] === undefined;
}

/** Who took part, set to what, and who did not, and why. */
export function peersText(results: Results): string {
  const settings = settingsOf(results).map(([name, words]) => `${name}: ${words.join("; ")}`);
  const gone = results.peers.filter(({ unavailable }) => unavailable !== undefined);
  const reasons = gone.map(({ name, unavailable }) => `${name} took no part: ${unavailable}`);
  return textOf([...settings, ...reasons, ...absencesOf(results)]);
}

/** What each peer was set to; what all have in common is said once. */
export function settingsOf({ peers }: Results): readonly (readonly [name: string, settings: readonly string[]])[] {
  const own = peers
    .filter(({ unavailable }) => unavailable === undefined)
    .map(({ name, settings }) => [name, Object.entries(settings).map((words) => words.join(": "))] as const);
  const common =
    own[0]?.[1].filter((setting) => own.length > 1 && own.every(([, words]) => words.includes(setting))) ?? [];
  const rest = own.map(([name, words]) => [name, words.filter((setting) => !common.includes(setting))] as const);
  return [[own.map(([name]) => name).join(", "), common] as const, ...rest].filter(([, words]) => words.length > 0);
}

/** Who did not take part in everything; each said once. */
export function absencesOf({ peers, absences = [] }: Results): readonly string[] {
  const partly = absences.filter(({ peer }) => !peers.some(({ name, unavailable }) => name === peer && unavailable));
  return [...new Set(partly.map(({ peer, scenario, reason }) => `${peer} took no part in ${scenario}: ${reason}`))];
}

/** How quiet the machine was. */
export function disturbanceText(all: readonly Slice[]): string {
  const slices = all.filter(({ failure }) => failure === undefined);
  if (slices.every(({ disturbance }) => disturbance === undefined)) {
    return `Whether other programs disturbed the ${slices.length} slices is not known here.`;
  }
  const disturbed = slices.filter((slice) => isDisturbed(slice)).length;
  const limit = `${DISTURBED * 100} % of a core, or the server waited that long for its own`;
  return wrapped(`${disturbed} of ${slices.length} slices were disturbed: other programs used more than ${limit}.`);
}

export function failuresText(slices: readonly Slice[]): string {
  return textOf(failuresOf(slices));
}

/** Slices that did not come to their end. */
export function failuresOf(slices: readonly Slice[]): readonly string[] {
  return slices.flatMap(({ scenario, trial, phase, peer, round, failure }) =>
    failure === undefined ? [] : [`${scenario}, ${trial}, ${phase}, ${peer}, round ${round + 1} failed: ${failure}`],
  );
}

export function gatesText(gates: readonly Gate[]): string {
  const rows = gates.map(({ name, limit, measured, passed }) => [
    name,
    `<= ${numberText(limit)}`,
    measured === undefined ? "" : numberText(measured.median),
    measured === undefined ? "" : intervalText(measured),
    passed === undefined ? "not measured" : passed ? "passed" : "FAILED",
  ]);
  const count = (wanted: Gate["passed"]): number => gates.filter(({ passed }) => passed === wanted).length;
  const sum = `${count(true)} passed, ${count(false)} failed, ${count(undefined)} not measured`;
  return [...aligned([["gate", "limit", "measured", "95 %", ""], ...rows], [0, 3, 4]), sum].join("\n");
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => wrapped(line)).join("\n");
}
