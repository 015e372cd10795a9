import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { bundle } from "./mutant.ts";
import type * as Program from "./mutant-program.ts";
import { HUNTED, type Hunted } from "./mutants.ts";

/** Inside the project, so that packages are found. */
const FOLDER = new URL(`../../../node_modules/.cache/roomcast-mutants/${process.pid}/`, import.meta.url);

afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

/** Each rule has to be found broken within so many seeds. */
const SEEDS = 200;

const ALL: readonly number[] = Array.from({ length: SEEDS }, (_, index) => index + 1);

const DURATION = 4_000;

/** Longer than nodes take to notice that another one is gone. */
const PRESENCE_DURATION = 12_000;

async function load({ mutants, rule }: Hunted): Promise<typeof Program> {
  mkdirSync(FOLDER, { recursive: true });
  const file = new URL(`${rule.replaceAll(/\W/g, "-")}.mjs`, FOLDER);
  writeFileSync(file, await bundle("mutant-program.ts", mutants));
  return (await import(/* @vite-ignore */ pathToFileURL(fileURLToPath(file)).href)) as typeof Program;
}

test.each(HUNTED)(
  "a hub without this rule is found out: $rule",
  async (hunted) => {
    const { firstFailure } = await load(hunted);
    const { isCalm = false, isPresence = false } = hunted;
    const duration = isPresence ? PRESENCE_DURATION : DURATION;
    const failure = await firstFailure([hunted.seed, ...ALL], { isCalm, isPresence, duration });
    // The seed is kept in `mutants.ts`, so that the next run is quick.
    console.log(`${hunted.rule}: seed ${failure?.seed}, ${failure?.why}`);
    expect(failure).toBeDefined();
  },
  300_000,
);

test("a mutant whose text is not in the sources is refused", async () => {
  const outdated = { name: "outdated", file: "history/ring.ts", from: "no such text", to: "" };
  await expect(bundle("mutant-program.ts", [outdated])).rejects.toThrow("occurs 0 times");
});
