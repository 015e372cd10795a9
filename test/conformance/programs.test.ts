import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Driver } from "./programs/driver.ts";
import { program } from "./programs/program.ts";
import { createWorld, type World } from "./programs/worlds.ts";
import { TRANSPORTS } from "../support/transports.ts";

/** Another seed finds other programs: `SEED=1 npx vitest run test/conformance/programs.test.ts`. A failure prints its own. */
const seed = Number(process.env["SEED"] ?? 20_261_123);

const worlds = ["memory", ...TRANSPORTS, ...(TRANSPORTS.includes("uws") ? (["topics"] as const) : [])] as const;

describe.each(worlds)("Random programs on %s", (name) => {
  const numRuns = name === "memory" ? 200 : 40;
  let world: World;
  beforeAll(async () => {
    world = await createWorld(name);
  });
  afterAll(() => world.hub.close());

  test("every client sees what the model says, in its order, and no more", async () => {
    await fc.assert(
      fc.asyncProperty(program, async (steps) => {
        expect(await new Driver(world).run(steps)).toEqual([]);
        expect([world.hub.sockets.size, world.hub.rooms.size]).toEqual([0, 0]);
      }),
      { seed, numRuns },
    );
  });
});
