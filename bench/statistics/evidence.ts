import { DISTURBED } from "../coordinator/disturbance.ts";
import type { CaseParameters, Figure, Measurement, Phase, Slice } from "../figures.ts";
import type { PeerName } from "../peers/peer.ts";

/** What was measured of one peer in one case, by rounds. */
export interface Evidence {
  readonly scenario: string;
  readonly trial: string;
  readonly case: string;
  readonly parameters: CaseParameters;
  readonly phase: Phase;
  readonly load: number | undefined;
  readonly peer: PeerName;
  /** What counts. */
  readonly measurements: ReadonlyMap<number, Measurement>;
  /** How many of those that count were disturbed. */
  readonly used: number;
  /** How many slices were disturbed, whether they count or not. */
  readonly disturbed: number;
  /** Every measurement of the case, also those that do not count. */
  readonly all: readonly Measurement[];
}

/** More of the rounds than this have to be undisturbed, for the others to be left out. */
const ENOUGH = 0.5;

/**
 * Sorts what slices have measured, in the order in which they first came.
 *
 * Disturbed slices are left out. Where most rounds have none but disturbed ones, because the machine is never quiet, they
 * are all that there is, and the last of each round counts.
 */
export function evidenceOf(slices: readonly Slice[]): readonly Evidence[] {
  const groups = new Map<string, { slice: Slice; measurement: Measurement }[]>();
  for (const slice of slices) {
    for (const measurement of slice.measurements) {
      const { scenario, trial, peer } = slice;
      const key = JSON.stringify([scenario, trial, peer, measurement.phase, measurement.case, measurement.load]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [{ slice, measurement }]);
      else group.push({ slice, measurement });
    }
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { slice, measurement } = first;
    const rounds = new Set(group.map((each) => each.slice.round)).size;
    const quiet = group.filter((each) => !isDisturbed(each.slice));
    const counting =
      quiet.length > ENOUGH * rounds ? quiet : [...group.filter((each) => isDisturbed(each.slice)), ...quiet];
    const chosen = new Map(counting.map((each) => [each.slice.round, each]));
    return {
      scenario: slice.scenario,
      trial: slice.trial,
      case: measurement.case,
      parameters: measurement.parameters ?? {},
      phase: measurement.phase,
      load: measurement.load,
      peer: slice.peer,
      measurements: new Map([...chosen].map(([round, each]) => [round, each.measurement])),
      used: [...chosen.values()].filter((each) => isDisturbed(each.slice)).length,
      disturbed: group.length - quiet.length,
      all: group.map((each) => each.measurement),
    };
  });
}

export function isDisturbed({ disturbance }: Slice): boolean {
  return disturbance !== undefined && disturbance > DISTURBED;
}

export function valuesOf({ measurements }: Evidence, figure: Figure): readonly number[] {
  return [...measurements.values()].map(({ figures }) => figures[figure]).filter((value) => value !== undefined);
}

/** What two have measured in the same rounds, put together. */
export function paired(
  one: Evidence,
  other: Evidence,
  figure: Figure,
  combine: (one: number, other: number) => number,
): readonly number[] {
  return [...one.measurements].flatMap(([round, { figures }]) => {
    const [own, its] = [figures[figure], other.measurements.get(round)?.figures[figure]];
    return own === undefined || its === undefined ? [] : [combine(own, its)];
  });
}

/** `NaN` where one of them is not above 0, as memory can be that is less than the noise: such a ratio says nothing. */
export function ratio(one: number, other: number): number {
  return one > 0 && other > 0 ? one / other : Number.NaN;
}

/** The same case of another peer. */
export function sameCase(evidence: Evidence, peer: PeerName): (other: Evidence) => boolean {
  return (other) =>
    other.peer === peer &&
    other.scenario === evidence.scenario &&
    other.trial === evidence.trial &&
    other.case === evidence.case &&
    other.phase === evidence.phase &&
    other.load === evidence.load;
}
