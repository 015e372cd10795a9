// Runs simulations until so many events were delivered, or one fails.
import { shrinkFaults, Simulation } from "roomcast/testing";
import { parseArgs } from "node:util";
import { scenarioOf } from "./scenario.ts";

const USAGE = `npm run simulate -- [--first <seed>] [--seeds <number>] [--deliveries <number>]

Simulates clusters in virtual time, each decided by a seed, and checks what their clients hear.

  --first       The first seed. Default: 1.
  --seeds       The number of seeds. Default: as many as the deliveries take.
  --deliveries  The number of events that clients are to hear in all. Default: 10,000,000.`;

/** The time between two lines about the progress, in milliseconds. */
const INTERVAL = 5_000;

/** The number of lines of the journal that are shown before the first violation. */
const CONTEXT = 40;

interface Volume {
  readonly first: number;
  readonly seeds: number;
  readonly deliveries: number;
}

/** Returns what the arguments ask for; `undefined` if they are wrong, or ask for help. */
function volumeOf(args: readonly string[]): Volume | undefined {
  const text = { type: "string" } as const;
  const options = { first: text, seeds: text, deliveries: text, help: { type: "boolean" } } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    const { first = "1", help, seeds } = values;
    const deliveries = values.deliveries ?? (seeds === undefined ? "10000000" : undefined);
    const numbers = [first, seeds, deliveries].map((value) => (value === undefined ? Infinity : Number(value)));
    const areValid = numbers.every((number) => number === Infinity || (Number.isSafeInteger(number) && number > 0));
    return help === true || !areValid
      ? undefined
      : { first: numbers[0] as number, seeds: numbers[1] as number, deliveries: numbers[2] as number };
  } catch {
    return undefined;
  }
}

/** Shows why a seed fails, with as few faults as it takes. */
async function explain(seed: number): Promise<void> {
  const options = scenarioOf(seed);
  console.log(`Seed ${seed} fails. Looking for a shorter script of faults.`);
  const faults = (await shrinkFaults(options)) ?? [];
  const { journal, violations } = await new Simulation({ ...options, faults, journal: true }).run();
  const place = journal.findIndex((line) => line.includes("VIOLATION"));
  console.log(journal.slice(Math.max(0, place - CONTEXT), place + 1).join("\n"));
  console.log(`\nSeed ${seed}: ${violations.length} violations\n${violations.join("\n")}`);
  console.log(`\nThe script of its faults:\n${JSON.stringify(faults, undefined, 2)}`);
}

async function simulate({ first, seeds, deliveries }: Volume): Promise<boolean> {
  const start = performance.now();
  const gaps: Record<string, number> = {};
  let delivered = 0;
  let said = start;
  let seed = first;
  const say = (): void => {
    const seconds = (performance.now() - start) / 1_000;
    const told = Object.entries(gaps).map(([reason, count]) => `${reason} ${count}`);
    const figures = `${delivered} deliveries in ${seconds.toFixed(1)} s, gaps: ${told.join(", ") || "none"}`;
    console.log(`seeds ${first} to ${seed - 1}: ${figures}`);
  };
  while (seed < first + seeds && delivered < deliveries) {
    // oxlint-disable-next-line no-await-in-loop -- a simulation has the process to itself
    const { counts, violations } = await new Simulation(scenarioOf(seed)).run();
    delivered += counts.deliveries;
    for (const [reason, count] of Object.entries(counts.gaps)) gaps[reason] = (gaps[reason] ?? 0) + count;
    if (violations.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- the end
      await explain(seed);
      return false;
    }
    seed++;
    if (performance.now() - said < INTERVAL) continue;
    said = performance.now();
    say();
  }
  say();
  console.log("0 violations");
  return true;
}

const volume = volumeOf(process.argv.slice(2));
if (volume === undefined) console.log(USAGE);
else if (!(await simulate(volume))) process.exitCode = 1;
