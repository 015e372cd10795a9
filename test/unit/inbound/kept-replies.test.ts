import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { zeroCounters } from "../../../src/counters.ts";
import { KeptReplies } from "../../../src/inbound/kept-replies.ts";

/** The size of a kept reply of the tests without its text: each identity has five letters. */
const EMPTY = 650;

interface Kept {
  readonly identity: string;
  readonly owner: string;
  readonly bytes: number;
  readonly time: number;
}

const steps = fc.array(fc.record({ owner: fc.nat(6), reply: fc.nat(2_000), later: fc.nat(100) }), {
  maxLength: 200,
  size: "max",
});

function totalsOf(all: readonly Kept[]): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const { owner, bytes } of all) totals.set(owner, (totals.get(owner) ?? 0) + bytes);
  return totals;
}

function sumOf(totals: ReadonlyMap<string, number>): number {
  return [...totals.values()].reduce((sum, bytes) => sum + bytes, 0);
}

describe("Kept replies", () => {
  test("keep within their budgets, and forget no more than these and the time ask for", () => {
    const limits = { within: 1_000, maxBytes: 20_000, maxBytesPerOwner: 8_000 };
    fc.assert(
      fc.property(steps, (program) => {
        const counters = zeroCounters();
        const replies = new KeptReplies(limits, counters);
        let model: Kept[] = [];
        let now = 0;
        let forgotten = 0;
        for (const [index, { owner: number, reply, later }] of program.entries()) {
          now += later;
          const owner = `owner ${number}`;
          const identity = String(index).padStart(5, "0");
          replies.keep(identity, owner, new Uint8Array(reply), now);
          const before = [
            ...model.filter(({ time }) => now - time <= limits.within),
            { identity, owner, bytes: EMPTY + reply, time: now },
          ];
          const lost = before.filter((kept) => replies.find(kept.identity, now) === undefined);
          model = before.filter((kept) => !lost.includes(kept));
          forgotten += lost.length;
          expect(counters.answersForgotten).toBe(forgotten);

          const totals = totalsOf(model);
          expect(sumOf(totals)).toBeLessThanOrEqual(limits.maxBytes);
          expect(Math.max(0, ...totals.values())).toBeLessThanOrEqual(limits.maxBytesPerOwner);
          for (const loser of new Set(lost.map((kept) => kept.owner))) {
            const own = before.filter((kept) => kept.owner === loser);
            const gone = lost.filter((kept) => kept.owner === loser);
            expect(own.slice(0, gone.length), "the oldest go").toEqual(gone);
            const beforeTheLast = (totals.get(loser) ?? 0) + (gone.at(-1)?.bytes ?? 0);
            const hadTooMuch = loser === owner && beforeTheLast > limits.maxBytesPerOwner;
            const wereTooMuch = sumOf(totals) + (gone.at(-1)?.bytes ?? 0) > limits.maxBytes;
            const wasLarge = 2 * beforeTheLast > Math.max(0, ...totals.values());
            expect(hadTooMuch || (wasLarge && (wereTooMuch || lost.length > gone.length))).toBe(true);
          }
        }
        for (const { identity } of model) expect(replies.find(identity, now + 1_001)).toBeUndefined();
        expect(counters.answersForgotten).toBe(forgotten);
      }),
      { seed: 20_261_130 },
    );
  });

  test("of one owner are out of reach of another who is answered without end", () => {
    const counters = zeroCounters();
    const replies = new KeptReplies({ within: 1_000, maxBytes: 20_000, maxBytesPerOwner: 8_000 }, counters);
    replies.keep("mine!", "I", "paid", 0);
    for (let n = 0; n < 1_000; n++) replies.keep(`theirs ${n}`, `owner ${n % 3}`, "x".repeat(100), 0);
    expect(replies.find("mine!", 0)?.reply).toBe("paid");
    expect(counters.answersForgotten).toBeGreaterThan(900);
  });

  test("that take too much alone are forgotten at once, and do no harm", () => {
    const counters = zeroCounters();
    const replies = new KeptReplies({ within: 1_000, maxBytes: 3_000, maxBytesPerOwner: 2_000 }, counters);
    replies.keep("other", "other", "fine", 0);
    replies.keep("large", "owner", "x".repeat(2_000), 0);
    expect(replies.find("large", 0)).toBeUndefined();
    expect(replies.find("other", 0)?.reply).toBe("fine");
    expect(counters.answersForgotten).toBe(1);
  });
});
