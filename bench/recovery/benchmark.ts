import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { count, dashed, positive, UsageError } from "../command-line.ts";
import { Disturbance } from "../coordinator/disturbance.ts";
import { countOf } from "../numbers.ts";
import { Lot } from "../scenarios/lot.ts";
import { aligned, wrapped } from "../terminal/text.ts";
import { COMPARED, CONTESTANTS, type ContestantName } from "./contestants.ts";
import { cutsOf, type CutPlan } from "./cuts.ts";
import { Group } from "./group.ts";
import type { Tally } from "./journal.ts";

const FAILED = 1;

const ALL = Object.keys(CONTESTANTS) as ContestantName[];

const ROOMS: readonly string[] = Array.from({ length: 10 }, (_, room) => `r${room}`);
const ROOMS_OF_A_CLIENT = 3;

/** What one contestant did. */
interface Result {
  readonly contestant: ContestantName;
  readonly tally?: Tally;
  /** Why it does not count. */
  readonly failure?: string;
}

/** What a run is asked to do. */
interface Options extends CutPlan {
  readonly contestants: readonly ContestantName[];
  /** Messages a second to each room. */
  readonly rate: number;
  readonly transport: "ws" | "uws";
  readonly nodes: number;
  readonly json: string | undefined;
}

/**
 * Runs the scenario `recovery`, and prints what came of it.
 *
 * @returns the exit status.
 */
export async function runRecovery(args: readonly string[]): Promise<number> {
  const options = optionsOf(args);
  const { contestants, clients, seed, json } = options;
  const lot = new Lot(seed);
  const rooms = Array.from({ length: clients }, () => lot.draw(ROOMS_OF_A_CLIENT, ROOMS));
  const disturbance = new Disturbance();
  const groups = await Promise.all(contestants.map((contestant) => Group.start(contestant, options)));
  try {
    const results = await measure(groups, rooms, options);
    const others = disturbance.since([process.pid, ...groups.flatMap((group) => group.pids)]);
    if (json !== undefined) {
      writeFileSync(json, `${JSON.stringify({ options, disturbance: others, results }, undefined, 2)}\n`);
    }
    console.log(textOf(results, options, others));
    return results.some((result) => hasFailed(result)) ? FAILED : 0;
  } finally {
    await Promise.all(groups.map((group) => group.stop()));
  }
}

/** All at the same time, so that they meet the same machine. */
async function measure(
  groups: readonly Group[],
  rooms: readonly (readonly string[])[],
  options: Options,
): Promise<readonly Result[]> {
  const cuts = cutsOf(options);
  // Nobody begins before all are ready, because what starts takes the time of those that run.
  const joined = await Promise.allSettled(groups.map((group) => group.join(rooms)));
  return Promise.all(
    groups.map(async (group, index): Promise<Result> => {
      const { contestant } = group;
      try {
        const failed = joined[index];
        if (failed?.status === "rejected") throw failed.reason;
        return { contestant, tally: await group.recover({ rooms: ROOMS, cuts, ...options }) };
      } catch (error) {
        return { contestant, failure: (error as Error).message };
      }
    }),
  );
}

/** What the hub promises where it keeps a record: everything, once and in order. The others are there to be compared. */
function hasFailed({ contestant, tally, failure }: Result): boolean {
  if (tally === undefined) return failure !== undefined;
  const { client, records } = CONTESTANTS[contestant];
  const isHub = client !== "socket.io";
  return isHub && records && (tally.arrived < tally.due || tally.duplicates > 0 || tally.reordered > 0);
}

function optionsOf(args: readonly string[]): Options {
  const one = { type: "string" } as const;
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        scenario: one,
        members: one,
        rate: one,
        cut: one,
        duration: one,
        transport: one,
        nodes: one,
        seed: one,
        peer: { ...one, multiple: true },
        json: one,
      },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { transport = "ws" } = values;
  if (transport !== "ws" && transport !== "uws") {
    throw new UsageError(`--transport is "ws" or "uws", not "${transport}"`);
  }
  return {
    contestants: values.peer?.flatMap((list) => list.split(",")).map(contestantOf) ?? COMPARED,
    clients: count("--members", values.members ?? "200"),
    rate: count("--rate", values.rate ?? "2"),
    interval: positive("--cut", values.cut ?? "6"),
    seconds: positive("--duration", values.duration ?? "20"),
    seed: count("--seed", values.seed ?? "1"),
    transport,
    nodes: count("--nodes", values.nodes ?? "1"),
    json: values.json,
  };
}

function contestantOf(name: string): ContestantName {
  const contestant = ALL.find((each) => nameOf(each) === dashed(name));
  if (contestant !== undefined) return contestant;
  throw new UsageError(`The scenario recovery has no peer "${name}". It has: ${ALL.map(nameOf).join(", ")}`);
}

function nameOf(contestant: ContestantName): string {
  return dashed(contestant.replaceAll(",", ""));
}

const COLUMNS = ["", "arrived", "missing", "without a gap", "twice", "late", "reconnected", "gaps"] as const;

function textOf(results: readonly Result[], options: Options, others: number | undefined): string {
  const { clients, rate, interval, seconds, transport, nodes } = options;
  const about =
    `${countOf(clients)} clients in ${ROOMS_OF_A_CLIENT} of ${ROOMS.length} rooms each, ${rate} messages a second to ` +
    `each room, for ${seconds} s; each connection is cut every ${interval} s, on average, at the same times for all. ` +
    `Hubs are on ${transport}, ${nodes === 1 ? "one node" : `${nodes} nodes over Redis`}.${others === undefined ? "" : ` Other programs used ${others.toFixed(2)} of a core.`}`;
  const rows = results.map(({ contestant, tally }) => [
    contestant,
    ...(tally === undefined ? ["failed", ...COLUMNS.slice(2).map(() => "")] : cellsOf(tally)),
  ]);
  const failures = results.flatMap(({ contestant, failure }) => (failure ? [`${contestant}: ${failure}`] : []));
  const settings = results.map(({ contestant }) => wrapped(`${contestant}: ${CONTESTANTS[contestant].settings}`));
  return [wrapped(about), "", ...aligned([COLUMNS, ...rows], [0, 7]), "", ...settings, ...failures].join("\n");
}

function cellsOf({ due, arrived, silent, duplicates, reordered, reconnections, gaps }: Tally): readonly string[] {
  // Cut off rather than rounded: 100.00 % are all of them.
  const share = Math.floor((10_000 * arrived) / due) / 100;
  return [
    `${share.toFixed(2)} %`,
    ...[due - arrived, silent, duplicates, reordered, reconnections].map((number) => countOf(number)),
    Object.entries(gaps)
      .map(([reason, number]) => `${countOf(number)} ${reason}`)
      .join(", "),
  ];
}
