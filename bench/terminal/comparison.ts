import type { Interval, Results, Row } from "../results.ts";
import { aligned, wrapped } from "./text.ts";
import { intervalOf, ratioOf } from "../numbers.ts";

/** What has changed since an earlier run: ratios to the control, which differ less between machines than times do. */
export function comparisonOf(rows: readonly Row[], baseline: Results): string {
  const body = rows.flatMap((row) => {
    const then = baseline.rows.find((earlier) => keyOf(earlier) === keyOf(row))?.ratio;
    if (row.ratio === undefined || then === undefined) return [];
    const load = row.load === undefined ? "" : `, ${Math.round(row.load * 100)} %`;
    const [before, now] = [then, row.ratio].map((ratio) => `${ratioOf(ratio.median)} (${intervalOf(ratio)})`);
    return [[`${row.scenario}: ${row.case}${load}`, row.peer, `${before}`, `${now}`, changeOf(then, row.ratio)]];
  });
  const heading = `Against the run of ${baseline.started} on ${baseline.machine.cpu}, Node ${baseline.machine.node}`;
  if (body.length === 0) return `${heading}: it has none of these cases.`;
  const lines = aligned([["case", "peer", "ratio then", "ratio now", "intervals"], ...body], [0, 1, 2, 3, 4]);
  return [wrapped(heading), ...lines].join("\n");
}

/** Whether the difference is more than chance makes. */
export function changeOf(then: Interval, now: Interval): "lower" | "higher" | "overlap" {
  if (now.high < then.low) return "lower";
  return now.low > then.high ? "higher" : "overlap";
}

function keyOf({ scenario, trial, case: name, phase, load, peer, headline }: Row): string {
  return JSON.stringify([scenario, trial, name, phase, load, peer, headline]);
}
