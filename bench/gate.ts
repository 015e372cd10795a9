import type { CaseParameters, Slice } from "./figures.ts";
import { PROMISES, type Place, type Promised } from "./promises.ts";
import type { Gate } from "./results.ts";
import { sumOf } from "./statistics/verdict.ts";
import { bootstrap } from "./statistics/bootstrap.ts";
import { evidenceOf, paired, type Evidence } from "./statistics/evidence.ts";

const KIBIBYTE = 1024;

const COMBINE: Readonly<Record<Promised["as"], (own: number, other: number) => number>> = {
  ratio: (own, other) => own / other,
  KiB: (own, other) => (own - other) / KIBIBYTE,
};

/** What these slices say of each promise. A median that is at the limit keeps it, unless something went wrong. */
export function gatesOf(slices: readonly Slice[], seed: number): readonly Gate[] {
  const evidence = evidenceOf(slices);
  return PROMISES.map((promised) => {
    const { name, limit } = promised;
    const [own, other] = placesOf(promised, evidence);
    if (own === undefined || other === undefined) return { name, limit, passed: undefined };
    const isVoid = [own, other].some(({ all }) => sumOf(all.map(({ violations }) => violations)) !== undefined);
    const values = paired(own, other, promised.figure, COMBINE[promised.as]).filter((value) => Number.isFinite(value));
    if (values.length === 0) return { name, limit, passed: isVoid ? false : undefined };
    const measured = bootstrap(values, seed);
    return { name, limit, measured, passed: !isVoid && measured.median <= limit };
  });
}

/** Where several cases would do, the last, which is the largest. */
function placesOf(
  { own, other }: Promised,
  evidence: readonly Evidence[],
): readonly [own: Evidence | undefined, other: Evidence | undefined] {
  const mine = evidence.findLast((each) => isAt(own, each));
  const isSameCase = own.parameters === other.parameters;
  const theirs = evidence.findLast(
    (each) => isAt(other, each) && each.trial === mine?.trial && (!isSameCase || each.case === mine.case),
  );
  return [mine, theirs];
}

function isAt({ scenario, peer, phase, load, parameters = {} }: Place, evidence: Evidence): boolean {
  const asked = Object.entries(parameters) as [keyof CaseParameters, number][];
  return (
    evidence.scenario === scenario &&
    evidence.peer === peer &&
    (phase === undefined || evidence.phase === phase) &&
    (load === undefined || evidence.load === load) &&
    asked.every(([parameter, value]) => evidence.parameters[parameter] === value)
  );
}
