import type { Interval, Results, Row } from "../results.ts";
import { aligned, intervalText, numberText, wrapped, WIDTH } from "./text.ts";

/** What has changed since an earlier run: ratios to the control, which differ less between machines than times do. */
export function comparisonOf(rows: readonly Row[], baseline: Results): string {
  const body = rows.flatMap((row) => {
    const before = baseline.rows.find((earlier) => keyOf(earlier) === keyOf(row));
    if (row.ratio === undefined || before?.ratio === undefined) return [];
    return [[caseOf(row), row.peer, textOf(before.ratio), textOf(row.ratio), changeOf(before.ratio, row.ratio)]];
  });
  const heading = `Against the run of ${baseline.started} on ${baseline.machine.cpu}, Node ${baseline.machine.node}`;
  if (body.length === 0) return `${heading}: it has none of these cases.`;
  const lines = aligned([["case", "peer", "ratio then", "ratio now", "intervals"], ...body], new Set([0, 1, 2, 3, 4]));
  return [wrapped(heading, WIDTH, ""), ...lines].join("\n");
}

/** Whether the difference is more than chance makes. */
export function changeOf(then: Interval, now: Interval): "lower" | "higher" | "overlap" {
  if (now.high < then.low) return "lower";
  return now.low > then.high ? "higher" : "overlap";
}

function caseOf({ scenario, case: name, load }: Row): string {
  return `${scenario}: ${name}${load === undefined ? "" : `, ${Math.round(load * 100)} %`}`;
}

function keyOf({ scenario, trial, case: name, phase, load, peer, headline }: Row): string {
  return JSON.stringify([scenario, trial, name, phase, load, peer, headline]);
}

function textOf(ratio: Interval): string {
  return `${numberText(ratio.median)} (${intervalText(ratio, numberText)})`;
}
