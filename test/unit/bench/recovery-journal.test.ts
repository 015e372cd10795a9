import { describe, expect, it } from "vitest";
import { Journal, sumOf } from "../../../bench/recovery/journal.ts";

const NOTHING = { due: 0, arrived: 0, silent: 0, duplicates: 0, reordered: 0, gaps: {}, reconnections: 0 };

/** The journal of a client in one room, after these messages. A negative number stands for a gap. */
function journalOf(...heard: readonly number[]): Journal {
  const journal = new Journal(["r0"]);
  for (const number of heard) {
    if (number < 0) journal.gap("r0", "trimmed");
    else journal.received("r0", number);
  }
  return journal;
}

const GAP = -1;

describe("a journal", () => {
  it("finds nothing wrong where everything has come once and in order", () => {
    expect(journalOf(0, 1, 2).close({ r0: 3 })).toEqual({ ...NOTHING, due: 3, arrived: 3 });
  });

  it.each([
    ["in the middle", [0, 3], 4],
    ["at the beginning", [2, 3], 4],
    ["at the end", [0, 1], 4],
  ])("counts what is missing %s", (_, heard, due) => {
    const tally = journalOf(...heard).close({ r0: due });
    expect(tally).toEqual({ ...NOTHING, due, arrived: heard.length, silent: 2 });
  });

  it("accounts for what is missing with the gap in its place, and with no other", () => {
    expect(journalOf(0, GAP, 3, 4).close({ r0: 5 })).toMatchObject({ arrived: 3, silent: 0, gaps: { trimmed: 1 } });
    expect(journalOf(0, GAP, 1, 4).close({ r0: 5 })).toMatchObject({ arrived: 3, silent: 2, gaps: { trimmed: 1 } });
    expect(journalOf(0, 3, GAP, 4).close({ r0: 5 })).toMatchObject({ arrived: 3, silent: 2, gaps: { trimmed: 1 } });
    expect(journalOf(0, 1, GAP).close({ r0: 5 })).toMatchObject({ arrived: 2, silent: 0, gaps: { trimmed: 1 } });
  });

  it("counts what came twice, and what came late", () => {
    expect(journalOf(0, 1, 1, 0, 2).close({ r0: 3 })).toEqual({ ...NOTHING, due: 3, arrived: 3, duplicates: 2 });
    expect(journalOf(0, 2, 1).close({ r0: 3 })).toEqual({ ...NOTHING, due: 3, arrived: 3, reordered: 1 });
  });

  it("knows what has yet to come", () => {
    expect(journalOf(0, 2).missing({ r0: 5, r1: 7 })).toBe(3);
  });

  it("counts connections after the first, and tells rooms apart", () => {
    const journal = new Journal(["r0", "r1"]);
    journal.connected();
    journal.received("r0", 0);
    journal.gap("r1", "epoch");
    journal.connected();
    journal.received("r0", 2);
    journal.received("r1", 2);
    expect(journal.close({ r0: 3, r1: 3 })).toMatchObject({
      due: 6,
      arrived: 3,
      silent: 1,
      gaps: { epoch: 1 },
      reconnections: 1,
    });
    expect(() => journal.received("r2", 0)).toThrow('"r2"');
  });

  it("adds up with others", () => {
    const one = journalOf(GAP, 0).close({ r0: 2 });
    const other = journalOf(0, GAP, 0, 1).close({ r0: 2 });
    const sum = { ...NOTHING, due: 4, arrived: 3, silent: 1, duplicates: 1, gaps: { trimmed: 2 } };
    expect(sumOf([one, other])).toEqual(sum);
  });
});
