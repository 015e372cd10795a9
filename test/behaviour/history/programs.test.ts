import { expect, test } from "vitest";
import { Program, type Tally } from "./program.ts";

/** The number of programs; more with `HISTORY_PROGRAMS`. */
const PROGRAMS = Number(process.env["HISTORY_PROGRAMS"] ?? 300);
const STEPS = 150;

test(
  "in random programs every client gets what it missed, once and in order, or is told",
  async () => {
    const sum: Tally = {
      deliveries: 0,
      recoveries: 0,
      slow: 0,
      gaps: { trimmed: 0, epoch: 0, overrun: 0, hole: 0, unavailable: 0 },
    };
    for (let seed = 1; seed <= PROGRAMS; seed++) {
      const program = new Program(seed);
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that the first failure is the one to look at
      await program.run(STEPS);
      expect({ seed, violations: program.violations }).toStrictEqual({ seed, violations: [] });
      const { tally } = program;
      sum.deliveries += tally.deliveries;
      sum.recoveries += tally.recoveries;
      sum.slow += tally.slow;
      for (const reason of ["trimmed", "epoch", "overrun"] as const) sum.gaps[reason] += tally.gaps[reason];
    }
    // The programs bring about what they are to bring about.
    const { trimmed, epoch, overrun } = sum.gaps;
    for (const count of [sum.deliveries, sum.recoveries, sum.slow, trimmed, epoch, overrun]) {
      expect(count).toBeGreaterThan(0);
    }
  },
  Math.max(120_000, 50 * PROGRAMS),
);
