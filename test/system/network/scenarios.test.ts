import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TRANSPORTS } from "../../support/transports.ts";
import { Page } from "./page.ts";
import { run } from "./run.ts";
import { scenarioOf } from "./scenario.ts";
import { watchTimers } from "./timers.ts";

/** How many scenarios are played. */
const SCENARIOS = 1_000;

/** How many of them at a time: they spend most of their time waiting. */
const AT_A_TIME = 20;

/** How many make one test. */
const PER_TEST = 100;

/**
 * Plays one scenario alone, and prints what happened if it fails:
 * `SEED=17 npx vitest run test/system/network/scenarios.test.ts`.
 */
const seed = process.env["SEED"];

const seeds = seed === undefined ? Array.from({ length: SCENARIOS }, (_, index) => index + 1) : [Number(seed)];

const groups = Array.from({ length: Math.ceil(seeds.length / PER_TEST) }, (_, index) => {
  return seeds.slice(index * PER_TEST, (index + 1) * PER_TEST);
});

describe("A client on a bad network", () => {
  let stops: readonly (() => void)[];
  beforeAll(() => {
    stops = [watchTimers(), Page.open()];
  });
  afterAll(() => {
    for (const stop of stops) stop();
  });

  test.each(groups.map((group) => [group[0], group.at(-1), group] as const))(
    "keeps every promise in scenarios %i to %i",
    async (_first, _last, group) => {
      const waiting = [...group];
      const complaints: string[] = [];
      const work = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const { complaints: found, trace } = await run(scenarioOf(next, TRANSPORTS));
          complaints.push(...found.map((complaint) => `SEED=${next}: ${complaint}`));
          if (seed !== undefined && found.length > 0) complaints.push(...trace);
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, work));
      expect(complaints).toEqual([]);
    },
    300_000,
  );

  test("leaves nothing that keeps the process alive", async () => {
    // A server says that it is closed before its handle is.
    await expect.poll(tcpHandles).toEqual([]);
  });
});

function tcpHandles(): readonly string[] {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP"));
}
