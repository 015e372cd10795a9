import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Driver } from "./programs/driver.ts";
import { program } from "./programs/program.ts";
import { createHubUnderTest, type HubUnderTest } from "./programs/hub-under-test.ts";
import { TRANSPORTS } from "../support/transports.ts";

/**
 * Another seed finds other programs: `SEED=1 npx vitest run test/conformance/programs.test.ts`. A failure prints its
 * own.
 */
const seed = Number(process.env["SEED"] ?? 20_261_123);

const subjects = ["memory", ...TRANSPORTS, ...(TRANSPORTS.includes("uws") ? (["topics"] as const) : [])] as const;

describe.each(subjects)("Random programs on %s", (name) => {
  const numRuns = name === "memory" ? 200 : 40;
  let subject: HubUnderTest;
  beforeAll(async () => {
    subject = await createHubUnderTest(name);
  });
  afterAll(() => subject.hub.close());

  test("every client sees what the model says, in its order, and no more", async () => {
    await fc.assert(
      fc.asyncProperty(program, async (steps) => {
        expect(await new Driver(subject).run(steps)).toEqual([]);
        expect([subject.hub.sockets.size, subject.hub.rooms.size]).toEqual([0, 0]);
      }),
      { seed, numRuns },
    );
  });
});
