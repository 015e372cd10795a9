import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Ledger, type MutableViolations } from "../../../bench/receivers/ledger.ts";

/** What the client of these tests hears, and what it must not. */
const STREAMS = [7, 9];
const PASSING = [12];
const OWN = 10;
const FOREIGN = [3, 8, 500];

interface Delivery {
  readonly stream: number;
  readonly sequence: number;
}

type Sent = Readonly<Record<number, number>>;

function none(): MutableViolations {
  return { missing: 0, duplicated: 0, reordered: 0, misrouted: 0, echoed: 0, malformed: 0, closed: 0 };
}

/** What the ledger makes of it. */
function entered(deliveries: readonly Delivery[], sent: Sent): { violations: MutableViolations; accepted: number } {
  const violations = none();
  const ledger = new Ledger({ streams: STREAMS, passing: PASSING }, violations);
  ledger.begin([OWN]);
  let accepted = 0;
  for (const { stream, sequence } of deliveries) {
    if (ledger.enter(stream, sequence) || ledger.enterOther(stream, sequence)) accepted++;
  }
  ledger.settle(sent);
  return { violations, accepted };
}

/** The same, from the definitions, with everything in memory. */
function model(deliveries: readonly Delivery[], sent: Sent): { violations: MutableViolations; accepted: number } {
  const violations = none();
  let accepted = 0;
  for (const stream of [...STREAMS, ...PASSING]) {
    const heard = deliveries.filter((delivery) => delivery.stream === stream).map(({ sequence }) => sequence);
    const once = new Set(heard);
    accepted += once.size;
    violations.duplicated += heard.length - once.size;
    for (const sequence of once) {
      const before = heard.slice(0, heard.indexOf(sequence));
      if (before.some((other) => other > sequence)) violations.reordered++;
    }
    if (!PASSING.includes(stream)) violations.missing += (sent[stream] ?? 0) - once.size;
  }
  violations.echoed = deliveries.filter(({ stream }) => stream === OWN).length;
  violations.misrouted = deliveries.filter(({ stream }) => FOREIGN.includes(stream)).length;
  return { violations, accepted };
}

type Edit =
  | { readonly kind: "drop" | "duplicate" | "swap"; readonly at: number; readonly to: number }
  | { readonly kind: "misroute"; readonly at: number; readonly delivery: Delivery };

/** A server that sends all streams in turn, and makes these mistakes. */
function withMistakes(sent: Sent, edits: readonly Edit[]): readonly Delivery[] {
  const deliveries = Object.entries(sent)
    .flatMap(([stream, count]) =>
      Array.from({ length: count }, (_, sequence): Delivery => ({ stream: Number(stream), sequence })),
    )
    .toSorted((a, b) => a.sequence - b.sequence);
  for (const edit of edits) {
    if (deliveries.length === 0) break;
    const at = edit.at % deliveries.length;
    const one = deliveries[at] as Delivery;
    if (edit.kind === "misroute") deliveries.splice(at, 0, edit.delivery);
    else if (edit.kind === "drop") deliveries.splice(at, 1);
    else if (edit.kind === "duplicate") deliveries.splice(edit.to % deliveries.length, 0, one);
    else {
      const to = edit.to % deliveries.length;
      deliveries[at] = deliveries[to] as Delivery;
      deliveries[to] = one;
    }
  }
  return deliveries;
}

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constantFrom("drop", "duplicate", "swap"), at: fc.nat(200), to: fc.nat(200) }),
  fc.record({
    kind: fc.constant("misroute"),
    at: fc.nat(200),
    delivery: fc.record({ stream: fc.constantFrom(OWN, ...FOREIGN), sequence: fc.nat(50) }),
  }),
);

describe("Ledger", () => {
  test("finds what a model finds that remembers everything", () => {
    const counts = fc.tuple(fc.nat(50), fc.nat(50), fc.nat(50));
    const edits = fc.array(edit, { maxLength: 30, size: "max" });
    fc.assert(
      fc.property(counts, edits, ([a, b, passing], mistakes) => {
        const sent = { 7: a, 9: b, 12: passing };
        const deliveries = withMistakes(sent, mistakes);
        expect(entered(deliveries, sent)).toEqual(model(deliveries, sent));
      }),
      { seed: 20_261_123, numRuns: 1_000 },
    );
  });

  test("finds the same in deliveries without any order", () => {
    const delivery = fc.record({
      stream: fc.constantFrom(...STREAMS, ...PASSING, OWN, ...FOREIGN),
      sequence: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(delivery, { maxLength: 80, size: "max" }), (deliveries) => {
        const sent = { 7: 21, 9: 21, 12: 21 };
        expect(entered(deliveries, sent)).toEqual(model(deliveries, sent));
      }),
      { seed: 20_261_123, numRuns: 1_000 },
    );
  });

  test("does not let a stream through that the client itself sends, even if it was told to hear it", () => {
    const violations = none();
    const ledger = new Ledger({ streams: [0, 1] }, violations);
    ledger.begin([1]);
    expect([ledger.enter(0, 0), ledger.enter(1, 0), ledger.enterOther(1, 0)]).toEqual([true, false, false]);
    ledger.settle({ 0: 1, 1: 5 });
    expect(violations).toEqual({ ...none(), echoed: 1 });
    expect(ledger.owed({ 0: 3, 1: 5 })).toBe(3);
  });

  test("forgets everything when another measurement begins", () => {
    const violations = none();
    const ledger = new Ledger({ streams: [0], passing: [1] }, violations);
    const enter = (sequence: number): boolean => ledger.enter(0, sequence) || ledger.enterOther(0, sequence);
    expect([0, 3].map(enter)).toEqual([true, true]);
    expect(violations).toEqual({ ...none(), missing: 2 });
    ledger.begin([]);
    // The last one fills no gap of this measurement.
    expect([0, 1, 2, 1].map(enter)).toEqual([true, true, true, false]);
    expect(violations).toEqual({ ...none(), missing: 2, duplicated: 1 });
  });

  test("counts messages that nobody has sent", () => {
    const deliveries = [0, 1, 2].map((sequence) => ({ stream: 7, sequence }));
    expect(entered(deliveries, { 7: 1 }).violations).toEqual({ ...none(), malformed: 2 });
  });

  test("of a client without streams takes nothing", () => {
    const violations = none();
    const ledger = new Ledger({ streams: [] }, violations);
    expect(ledger.enter(0, 0) || ledger.enterOther(0, 0)).toBe(false);
    expect(violations).toEqual({ ...none(), misrouted: 1 });
  });

  test("remembers the latest 64 gaps of a stream: what fills an older one is still a violation, and still missing", () => {
    const odd = Array.from({ length: 65 }, (_, index) => ({ stream: 7, sequence: 2 * index + 1 }));
    const late = [0, 2].map((sequence) => ({ stream: 7, sequence }));
    const { violations } = entered([...odd, ...late], { 7: 130 });
    expect(violations).toEqual({ ...none(), missing: 64, duplicated: 1, reordered: 1 });
  });
});
