import type { PeerName } from "../peers/peer.ts";
import { DISTURBED } from "../coordinator/disturbance.ts";
import { FIGURES, type Slice } from "../figures.ts";
import { isDisturbed } from "../statistics/evidence.ts";
import type { Absence, Gate, Machine, PeerState, Results, Row } from "../results.ts";
import { aligned, numberText, wrapped, WIDTH } from "./text.ts";

const INDENT = "    ";

/** Where it ran. */
export function machineText(machine: Machine): string {
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  const memory = `${numberText(machine.memory / 2 ** 30)} GiB`;
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${memory}; ${machine.system}; Node ${machine.node}`,
    machine.pinning,
    packages.join(", "),
  ];
  return lines.map((line) => wrapped(line, WIDTH, INDENT)).join("\n");
}

/** What the columns of the table are. */
export function legendText(): string {
  const words =
    "CPU: the server's, for one delivery; ratio: to the control; 95 %: bootstrap interval; /floor: to bare writes; " +
    "*: receiver-bound";
  return wrapped(words, WIDTH, INDENT);
}

/** Rows without the figure that they are about; `undefined` if there are none. */
export function emptyRowsText(rows: readonly Row[]): string | undefined {
  const lines = rows
    .filter((row) => isEmpty(row))
    .map(({ scenario, case: name, peer, headline }) =>
      wrapped(`${scenario}, ${name}, ${peer} measured nothing: it has no ${FIGURES[headline].title}`, WIDTH, INDENT),
    );
  return lines.length === 0 ? undefined : lines.join("\n");
}

export function isEmpty({ figures, headline }: Row): boolean {
  return figures[headline] === undefined;
}

/** Who took part, set to what, and who did not, and why. */
export function peersText({ peers, absences = [] }: Results): string {
  const lines = peers.map(({ name, settings, unavailable }: PeerState) => {
    const words = Object.entries(settings).map(([setting, value]) => `${setting}: ${value}`);
    return unavailable === undefined ? `${name}: ${words.join("; ")}` : `${name} took no part: ${unavailable}`;
  });
  const isGone = new Set(peers.filter(({ unavailable }) => unavailable !== undefined).map(({ name }) => name));
  const partly = groupedAbsences(absences.filter(({ peer }) => !isGone.has(peer)));
  return [...lines, ...partly].map((line) => wrapped(line, WIDTH, INDENT)).join("\n");
}

/** How quiet the machine was. */
export function disturbanceText(all: readonly Slice[]): string {
  const slices = all.filter(({ failure }) => failure === undefined);
  if (slices.every(({ disturbance }) => disturbance === undefined)) {
    return `Whether other programs disturbed the ${slices.length} slices is not known here.`;
  }
  const disturbed = slices.filter((slice) => isDisturbed(slice)).length;
  const limit = `${DISTURBED * 100} % of a core, or the server waited that long for its own`;
  const text = `${disturbed} of ${slices.length} slices were disturbed: other programs used more than ${limit}.`;
  return wrapped(text, WIDTH, INDENT);
}

/** Slices that did not come to their end; `undefined` if there are none. */
export function failuresText(slices: readonly Slice[]): string | undefined {
  const lines = slices.flatMap(({ scenario, trial, phase, peer, round, failure }) =>
    failure === undefined ? [] : [`${scenario}, ${trial}, ${phase}, ${peer}, round ${round + 1} failed: ${failure}`],
  );
  return lines.length === 0 ? undefined : lines.map((line) => wrapped(line, WIDTH, INDENT)).join("\n");
}

export function gatesText(gates: readonly Gate[]): string {
  const rows = gates.map(({ name, limit, measured, passed }) => [
    name,
    `<= ${numberText(limit)}`,
    measured === undefined ? "" : numberText(measured.median),
    measured === undefined ? "" : `${numberText(measured.low)}-${numberText(measured.high)}`,
    passed === undefined ? "not measured" : passed ? "passed" : "FAILED",
  ]);
  const count = (wanted: Gate["passed"]): number => gates.filter(({ passed }) => passed === wanted).length;
  const sum = `${count(true)} passed, ${count(false)} failed, ${count(undefined)} not measured`;
  return [...aligned([["gate", "limit", "measured", "95 %", ""], ...rows], new Set([0, 3, 4])), sum].join("\n");
}

function groupedAbsences(absences: readonly Absence[]): readonly string[] {
  const reasons = new Map<string, { peer: PeerName; scenario: string; reason: string }>();
  for (const { peer, scenario, reason } of absences) reasons.set(`${peer}\n${scenario}`, { peer, scenario, reason });
  return [...reasons.values()].map(({ peer, scenario, reason }) => `${peer} took no part in ${scenario}: ${reason}`);
}
