import { expect, test } from "vitest";
import { reportOf } from "./node-programs/report.ts";

/**
 * Another seed finds other programs: `SEED=1 npx vitest run test/conformance/node-programs.test.ts`. A failure prints its
 * seed and the shortest program that fails. `test/system/backplanes/node-programs.test.ts` runs many more.
 */
const seed = Number(process.env["SEED"] ?? 20_261_130);

test(
  "in random programs on several nodes every socket hears what is promised, and no more",
  { timeout: 300_000 },
  async () => {
    expect(await reportOf(seed, 300)).toBe("");
  },
);
