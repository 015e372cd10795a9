import { DISTURBED } from "./coordinator/disturbance.ts";
import { FIGURES, type Slice } from "./figures.ts";
import { countOf, numberOf, quantityOf } from "./numbers.ts";
import type { Violations } from "./receivers/messages.ts";
import type { Results, Row } from "./results.ts";
import { isDisturbed } from "./statistics/evidence.ts";

/** Something with a name: a fact of the machine, the settings of a peer. */
export type Fact = readonly [name: string, values: readonly string[]];

/** Where it ran, on what, for how long, and what was asked for. */
export function factsOf({ machine, started, seconds, options }: Results): readonly Fact[] {
  const minutes = Math.floor(seconds / 60);
  const time = minutes === 0 ? `${numberOf(seconds)} s` : `${minutes} min ${Math.round(seconds % 60)} s`;
  return [
    ["CPU", [`${machine.cpu}, ${machine.cores} ${machine.cores === 1 ? "core" : "cores"}`]],
    ["Memory", [quantityOf(machine.memory, "peakResident")]],
    ["System", [machine.system]],
    ["Node.js", [machine.node]],
    ["Libraries", Object.entries(machine.packages).map((words) => words.join(" "))],
    ["Cores", [machine.pinning]],
    ["Run", [`${started.replace("T", " ").replace(/\.\d+Z$/, " UTC")}, ${time}`]],
    ["Options", optionsOf(options)],
  ];
}

/** `pairs: 5`; what is nested is told beside the rest, what is off or absent is not told. */
function optionsOf(options: object): readonly string[] {
  return Object.entries(options).flatMap(([name, value]: [string, unknown]) => {
    if (value === undefined || value === null || value === false) return [];
    if (value === true) return [name];
    if (Array.isArray(value)) return value.length === 0 ? [] : [`${name}: ${value.join(", ")}`];
    if (typeof value === "object") return optionsOf(value);
    return [`${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`];
  });
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

/** How quiet the machine was, who took no part in what, and what did not come to its end; each said once. */
export function notesOf({ peers, absences = [], rows, slices }: Results): readonly string[] {
  const gone = peers.flatMap(({ name, unavailable }) => (unavailable ? [{ name, unavailable }] : []));
  const partly = absences.filter(({ peer }) => !gone.some(({ name }) => name === peer));
  return [
    ...rows.filter(isEmpty).map(emptyRow),
    disturbanceOf(slices),
    ...gone.map(({ name, unavailable }) => `${name} took no part: ${unavailable}`),
    ...new Set(partly.map(({ peer, scenario, reason }) => `${peer} took no part in ${scenario}: ${reason}`)),
    ...slices.flatMap(({ scenario, trial, phase, peer, round, failure }) =>
      failure === undefined ? [] : [`${scenario}, ${trial}, ${phase}, ${peer}, round ${round + 1} failed: ${failure}`],
    ),
  ];
}

/** `3 missing, 1 echoed` */
export function violationsOf(violations: Violations): string {
  const found = Object.entries(violations).filter(([, count]) => count > 0);
  return found.map(([kind, count]) => `${countOf(count)} ${kind}`).join(", ");
}

/** Whether a row has nothing of the figure that it is about. */
export function isEmpty({ figures, headline }: Row): boolean {
  return figures[headline] === undefined;
}

function emptyRow({ scenario, case: name, peer, headline }: Row): string {
  return `${scenario}, ${name}, ${peer} measured nothing: it has no ${FIGURES[headline].title}`;
}

function disturbanceOf(all: readonly Slice[]): string {
  const slices = all.filter(({ failure }) => failure === undefined);
  if (slices.every(({ disturbance }) => disturbance === undefined)) {
    return `Whether other programs disturbed the ${slices.length} slices is not known here.`;
  }
  const disturbed = slices.filter((slice) => isDisturbed(slice)).length;
  const limit = `${DISTURBED * 100} % of a core, or the server waited that long for its own`;
  return `${disturbed} of ${slices.length} slices were disturbed: other programs used more than ${limit}.`;
}
