import { expect, test } from "vitest";
import { reconciled } from "../../../bench/coordinator/forked-stage.ts";
import type { Tally, Violations } from "../../../bench/receivers/messages.ts";
import { violations } from "./told.ts";

function tally(deliveries: number, found: Partial<Violations> = {}): Tally {
  return { deliveries, bytes: 0, reads: 0, first: 0, last: 0, violations: violations(found), latencies: [], load: 0 };
}

test.each<[what: string, tally: Tally, due: number, found: Partial<Violations>]>([
  ["what all have heard", tally(100), 100, {}],
  ["what those who come and go have not heard", tally(97), 100, { missing: 3 }],
  ["what some have heard who had left", tally(102), 100, { misrouted: 2 }],
  ["what the connections have noticed", tally(97, { missing: 3, echoed: 1 }), 100, { missing: 3, echoed: 1 }],
  ["what they have noticed, and what not", tally(95, { missing: 3 }), 100, { missing: 5 }],
  ["what went to another who was not to hear it", tally(100, { missing: 1 }), 100, { missing: 1, misrouted: 1 }],
])("the sums account for %s", (_, counted, due, found) => {
  expect(reconciled(counted, due)).toEqual({ ...counted, violations: violations(found) });
});
