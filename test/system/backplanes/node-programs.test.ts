import { expect, test } from "vitest";
import { reportOf } from "../../conformance/node-programs/report.ts";

/** `SEED=2 npx vitest run test/system/backplanes/node-programs.test.ts` runs others. */
const seed = Number(process.env["SEED"] ?? 1);

test(
  "in ten thousand random programs every socket hears what is promised, and no more",
  { timeout: 3_600_000 },
  async () => {
    expect(await reportOf(seed, 10_000)).toBe("");
  },
);
