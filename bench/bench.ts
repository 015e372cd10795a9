import { closeSync, openSync, writeFileSync } from "node:fs";
import { Benchmark } from "./coordinator/benchmark.ts";
import { optionsOf, UsageError, type Options } from "./command-line.ts";
import { gatesOf } from "./gate.ts";
import { helpText } from "./terminal/help.ts";
import { machineOf } from "./coordinator/machine.ts";
import { ownRunOf } from "./own-runs.ts";
import { PEERS } from "./peers/index.ts";
import type { PeerName } from "./peers/peer.ts";
import { pin } from "./coordinator/pinning.ts";
import { Progress } from "./terminal/progress.ts";
import { comparisonOf } from "./terminal/comparison.ts";
import { jsonOf, resultsIn, ResultsFileError } from "./results-file.ts";
import type { PeerState, Results } from "./results.ts";
import { rowsOf } from "./statistics/rows.ts";
import { factsOf, isEmpty, settingsOf } from "./facts.ts";
import { factsText, gatesText, LEGEND, notesText } from "./terminal/notes.ts";
import { tableOf } from "./terminal/table.ts";
import { scenarios } from "./scenarios/index.ts";

const FAILED = 1;
const WRONG_CALL = 2;

/** As shells report what SIGINT has ended. */
const INTERRUPTED = 130;

/** @returns the exit status. */
async function main(args: readonly string[]): Promise<number> {
  const ownRun = await ownRunOf(args);
  if (ownRun !== undefined) return ownRun(args);
  const options = optionsOf(args);
  if (options === "help") {
    console.log(helpText());
    return 0;
  }
  // Found out now rather than after an hour.
  for (const file of [options.json, options.html]) if (file !== undefined) checkWritable(file);
  const baseline = options.baseline === undefined ? undefined : resultsIn(options.baseline);

  const results = await run(options);
  if (options.json !== undefined) writeFileSync(options.json, jsonOf(results));
  if (options.html !== undefined) {
    // Only now: no other run needs the library that draws.
    const { htmlOf } = await import("./report/html.ts");
    writeFileSync(options.html, htmlOf(results));
  }
  const sections = [
    `${factsText(factsOf(results))}\n${LEGEND}`,
    tableOf(results.rows, scenarios, process.stdout.isTTY),
    notesText(results),
    options.gate ? gatesText(results.gates) : undefined,
    baseline && comparisonOf(results.rows, baseline),
    factsText(settingsOf(results)),
  ];
  console.log(sections.filter((section) => section !== undefined).join("\n\n"));
  return hasFailed(results, options) ? FAILED : 0;
}

async function run(options: Options): Promise<Results> {
  const started = new Date();
  const { seed } = options.trial;
  const pinning = pin(options.pinned);
  const progress = new Progress(process.stderr);
  const benchmark = new Benchmark(options, scenarios, pinning, progress);
  const resultsSoFar = (): Results => {
    const { slices, absences } = benchmark;
    return {
      version: 1,
      machine: machineOf(pinning.description),
      started: started.toISOString(),
      seconds: (Date.now() - started.getTime()) / 1000,
      options: { ...options },
      peers: options.peers.map((name) => stateOf(name, benchmark)),
      absences,
      rows: rowsOf(slices, scenarios, seed),
      gates: gatesOf(slices, seed),
      slices,
    };
  };
  const interrupt = (): void => {
    // Before the slice that is under way fails, because its processes are ended.
    if (options.json !== undefined) writeFileSync(options.json, jsonOf(resultsSoFar()));
    void benchmark.abort().finally(() => process.exit(INTERRUPTED));
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupt);
  try {
    await benchmark.run();
  } finally {
    progress.clear();
  }
  return resultsSoFar();
}

function stateOf(name: PeerName, { slices, absences }: Benchmark): PeerState {
  const { settings } = PEERS[name];
  const absence = absences.find(({ peer }) => peer === name);
  if (absence === undefined || slices.some(({ peer }) => peer === name)) return { name, settings };
  return { name, settings, unavailable: absence.reason };
}

function hasFailed({ rows, gates, slices }: Results, { gate }: Options): boolean {
  const measured = new Set(slices.filter(({ failure }) => failure === undefined).map((slice) => keyOf(slice)));
  return (
    rows.some((row) => row.verdict === "void" || isEmpty(row)) ||
    slices.some((slice) => !measured.has(keyOf(slice))) ||
    (gate && (gates.some(({ passed }) => passed === false) || gates.every(({ passed }) => passed === undefined)))
  );
}

function keyOf({ scenario, trial, phase, peer }: Results["slices"][number]): string {
  return JSON.stringify([scenario, trial, phase, peer]);
}

function checkWritable(file: string): void {
  try {
    closeSync(openSync(file, "a"));
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${(error as Error).message}`, { cause: error });
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError || error instanceof ResultsFileError)) throw error;
  console.error(`${error.message}\n\nnpm run bench -- --help tells what can be done.`);
  process.exitCode = WRONG_CALL;
}
