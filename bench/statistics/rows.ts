import { CONTROL } from "../command-line.ts";
import { FIGURES, type Figure, type Slice } from "../figures.ts";
import { UNCOMPRESSED } from "../scenarios/compressed.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { bootstrap } from "./bootstrap.ts";
import { evidenceOf, paired, ratio, sameCase, valuesOf, type Evidence } from "./evidence.ts";
import { median } from "./median.ts";
import type { Interval, Row } from "../results.ts";
import { isReceiverBound, RECEIVER_BOUND, sumOf, verdictOf } from "./verdict.ts";

const ALL_FIGURES = Object.keys(FIGURES) as Figure[];

/** What is compared where the latency of messages is the question. */
const LATENCY: Figure = "p99";

/** Every peer in every case that these slices have measured; `floor` only as what the others are compared with. */
export function rowsOf(slices: readonly Slice[], scenarios: readonly Scenario[], seed: number): readonly Row[] {
  const all = evidenceOf(slices);
  return all
    .filter(({ peer }) => peer !== "floor")
    .map((evidence) => {
      const scenario = scenarios.find(({ name }) => name === evidence.scenario);
      return rowOf(evidence, all, headlineOf(evidence, scenario?.headline ?? "cpu"), seed);
    });
}

/** A scenario that asks what a delivery costs asks at fixed rates how long it takes. */
function headlineOf({ phase }: Evidence, headline: Figure): Figure {
  return phase === "latency" && (headline === "cpu" || headline === "throughput") ? LATENCY : headline;
}

function rowOf(evidence: Evidence, all: readonly Evidence[], headline: Figure, seed: number): Row {
  const { peer, load, measurements, disturbed } = evidence;
  const isControl = peer === CONTROL;
  const control = isControl ? undefined : all.find(sameCase(evidence, CONTROL));
  const floor = all.find(sameCase(evidence, "floor"));
  const violations = sumOf(evidence.all.map((measurement) => measurement.violations));
  const toControl = control && comparison(evidence, control, headline, seed);
  const toFloor = floor && comparison(evidence, floor, "cpu", seed);
  const rounds = control === undefined ? 0 : ratiosOf(evidence, control, headline).length;
  const receiversLoad = median(valuesOf(evidence, "receiversLoad"));
  const remarks = remarksOf(evidence, isReceiverBound(receiversLoad), isControl || toControl !== undefined);
  const isLike = !remarks.includes(UNCOMPRESSED);
  return {
    scenario: evidence.scenario,
    trial: evidence.trial,
    case: evidence.case,
    parameters: evidence.parameters,
    phase: evidence.phase,
    peer,
    ...(load !== undefined && { load }),
    slices: measurements.size,
    disturbed,
    headline,
    figures: figuresOf(evidence, seed),
    ...(toControl && { ratio: toControl }),
    ...(toFloor && { toFloor }),
    verdict: verdictOf({ isControl, headline, violations, receiversLoad, rounds, isLike, ratio: toControl }),
    ...(violations && { violations }),
    remarks,
  };
}

function comparison(own: Evidence, other: Evidence, figure: Figure, seed: number): Interval | undefined {
  const ratios = ratiosOf(own, other, figure);
  return ratios.length === 0 ? undefined : bootstrap(ratios, seed);
}

function ratiosOf(own: Evidence, other: Evidence, figure: Figure): readonly number[] {
  return paired(own, other, figure, ratio).filter((value) => Number.isFinite(value));
}

function figuresOf(evidence: Evidence, seed: number): Row["figures"] {
  return Object.fromEntries(
    ALL_FIGURES.flatMap((figure) => {
      const values = valuesOf(evidence, figure);
      return values.length === 0 ? [] : [[figure, bootstrap(values, seed)]];
    }),
  );
}

function remarksOf(evidence: Evidence, receiverBound: boolean, isCompared: boolean): readonly string[] {
  const remarks = new Set(evidence.all.flatMap((measurement) => measurement.remarks ?? []));
  if (receiverBound) remarks.add(RECEIVER_BOUND);
  if (!isCompared) remarks.add("no control to compare with");
  if (evidence.used > 0) {
    remarks.add(`disturbed by other programs in ${evidence.used} of ${evidence.measurements.size} rounds, and used`);
  }
  return [...remarks];
}
