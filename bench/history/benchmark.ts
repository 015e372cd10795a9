import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { count, positive, UsageError } from "../command-line.ts";
import { pin, type Pinning } from "../coordinator/pinning.ts";
import { intervalOf, numberOf } from "../numbers.ts";
import { bootstrap } from "../statistics/bootstrap.ts";
import { median } from "../statistics/median.ts";
import { aligned, wrapped } from "../terminal/text.ts";
import { broadcastCost, type BroadcastCost } from "./broadcast.ts";
import { OTHER_ROOMS, RECORDED, RING, STORM, type Budget } from "./budgets.ts";
import { ringMemory } from "./ring.ts";
import { RECORDED_ROOMS, type HubName, type SliceSetup } from "./slice.ts";
import { stormCost } from "./storm.ts";

const FAILED = 1;

/** What a run is asked to do. */
interface Options {
  readonly hubs: readonly HubName[];
  readonly rounds: number;
  readonly seconds: number;
  /** Clients of the storm. */
  readonly clients: number;
  readonly pinned: boolean;
  readonly seed: number;
  readonly gate: boolean;
  readonly json: string | undefined;
}

/** One figure of one hub, by rounds. */
interface Result extends Omit<Budget, "limit"> {
  readonly hub: HubName;
  /** Absent for what nothing was promised of. */
  readonly limit?: number;
  readonly values: number[];
}

/**
 * Runs the scenario `history`, and prints what came of it.
 *
 * @returns the exit status.
 */
export async function runHistory(args: readonly string[]): Promise<number> {
  const options = optionsOf(args);
  const run = new HistoryRun(options, pin(options.pinned));
  await run.finish();
  const { results, disturbances } = run;
  const { json, gate, seed } = options;
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ options, disturbances, results }, undefined, 2)}\n`);
  console.log(textOf(results, disturbances, seed));
  return gate && results.some((result) => hasFailed(result)) ? FAILED : 0;
}

class HistoryRun {
  readonly results: Result[] = [];
  /** What other programs used during each slice, as a fraction of one core. */
  readonly disturbances: number[] = [];
  readonly #options: Options;
  readonly #pinning: Pinning;

  constructor(options: Options, pinning: Pinning) {
    this.#options = options;
    this.#pinning = pinning;
  }

  async finish(): Promise<void> {
    const { hubs, rounds } = this.#options;
    for (let round = 0; round < rounds; round++) {
      for (const hub of round % 2 === 0 ? hubs : hubs.toReversed()) {
        process.stderr.write(`round ${round + 1}: ${hub}\n`);
        await this.#broadcasts(hub, round);
        await this.#ring(hub);
        await this.#storm(hub);
      }
    }
  }

  /** The hub without the option beside the one with it, forwards and backwards. */
  async #broadcasts(hub: HubName, round: number): Promise<void> {
    const { seconds } = this.#options;
    for (const members of new Set(RECORDED.map((each) => each.members))) {
      const cases = RECORDED.filter((each) => each.members === members);
      const rates = cases.map(({ perTurn }) => perTurn);
      const measure = (isOn: boolean): Promise<BroadcastCost> =>
        broadcastCost({ ...this.#setup(hub), members, rates, seconds, ...(isOn && { recorded: RECORDED_ROOMS }) });
      const first = await measure(round % 2 === 1);
      const second = await measure(round % 2 === 0);
      const [off, on] = round % 2 === 0 ? [first, second] : [second, first];
      for (const { perTurn, limit } of cases) {
        const where = `${members} members, ${perTurn} a turn`;
        // Of those that were measured next to each other.
        const ratio = (one: BroadcastCost["other"], other: BroadcastCost["other"]): number =>
          median((one.get(perTurn) ?? []).map((cost, index) => cost / (other.get(perTurn)?.[index] ?? Number.NaN)));
        this.#add(hub, { name: `CPU recorded / not, ${where}`, limit, unit: "" }, ratio(on.recorded, on.other));
        const others = {
          name: `CPU with rules for other rooms / without, ${where}`,
          limit: OTHER_ROOMS,
          unit: "",
        } as const;
        this.#add(hub, others, ratio(on.other, off.other));
        // Both rooms are the same to it: what is not 1 is noise.
        this.#add(hub, { name: `noise, ${where}`, unit: "" }, ratio(off.recorded, off.other));
      }
    }
  }

  async #ring(hub: HubName): Promise<void> {
    this.#add(hub, RING, await ringMemory(this.#setup(hub)));
  }

  async #storm(hub: HubName): Promise<void> {
    const { clients, seed } = this.#options;
    const plan = { ...this.#setup(hub), seed };
    const storm = await stormCost({ ...plan, size: 100, clients });
    this.#add(hub, STORM.join, storm.join);
    this.#add(hub, { name: "of this the join, without a record", unit: "µs" }, storm.plainJoin);
    this.#add(hub, { name: "CPU of a handshake", unit: "µs" }, storm.cpu.connect);
    this.#add(hub, { name: "until the last was connected", unit: "s" }, storm.connecting);
    this.#add(hub, STORM.caughtUp, storm.caughtUp);
    this.#add(hub, STORM.memory, storm.memory);
    // The same of 1 KiB each, with and without permessage-deflate, for fewer: the clients have to inflate them.
    for (const compression of [false, true]) {
      const each = await stormCost({ ...plan, size: 1_024, clients: Math.ceil(clients / 5), compression });
      const name = `CPU of such a join with messages of 1 KiB, ${compression ? "" : "not "}compressed`;
      this.#add(hub, { name, unit: "µs" }, each.join);
    }
  }

  #add(hub: HubName, about: Omit<Result, "hub" | "values">, value: number): void {
    const known = this.results.find((result) => result.hub === hub && result.name === about.name);
    if (known === undefined) this.results.push({ ...about, hub, values: [value] });
    else known.values.push(value);
  }

  #setup(peer: HubName): Pick<SliceSetup, "peer" | "pinning" | "disturbances"> {
    return { peer, pinning: this.#pinning, disturbances: this.disturbances };
  }
}

function hasFailed({ limit, values }: Result): boolean {
  return limit !== undefined && median(values) > limit;
}

function optionsOf(args: readonly string[]): Options {
  const one = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        scenario: one,
        transport: one,
        pairs: one,
        duration: one,
        members: one,
        seed: one,
        json: one,
        gate: flag,
        "no-pin": flag,
      },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { transport } = values;
  if (transport !== undefined && transport !== "ws" && transport !== "uws") {
    throw new UsageError(`--transport is "ws" or "uws", not "${transport}"`);
  }
  return {
    hubs: transport === undefined ? ["hub on ws", "hub on uws"] : [`hub on ${transport}`],
    rounds: count("--pairs", values.pairs ?? "5"),
    seconds: positive("--duration", values.duration ?? "0.25"),
    clients: count("--members", values.members ?? "5000"),
    pinned: values["no-pin"] !== true,
    seed: count("--seed", values.seed ?? "1"),
    gate: values.gate ?? false,
    json: values.json,
  };
}

function textOf(results: readonly Result[], disturbances: readonly number[], seed: number): string {
  const about =
    "Medians over the rounds, with bootstrap intervals; CPU is the server's, user and system. In the storm every client was in " +
    "5 of 100 rooms, has lost its connection, and missed 20 messages in each. " +
    `Other programs used ${numberOf(median(disturbances))} of a core in the median slice.`;
  const rows = results.map((result) => {
    const { hub, name, unit, limit, values } = result;
    const interval = bootstrap(values, seed);
    const suffix = unit === "" ? "" : ` ${unit}`;
    return [
      hub,
      name,
      `${numberOf(interval.median)}${suffix}`,
      intervalOf(interval, numberOf),
      limit === undefined ? "" : `<= ${numberOf(limit)}`,
      limit === undefined ? "" : hasFailed(result) ? "NOT KEPT" : "kept",
    ];
  });
  return [wrapped(about), "", ...aligned([["", "", "median", "95 %", "limit", ""], ...rows], [0, 1, 5])].join("\n");
}
