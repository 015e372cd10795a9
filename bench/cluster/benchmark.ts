import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { dashed, UsageError } from "../command-line.ts";
import { median } from "../statistics/median.ts";
import { casesFor } from "./cases.ts";
import { CLUSTER_PEERS, type ClusterPeerName } from "./peers.ts";
import { ClusterSlice, type ClusterFigures } from "./slice.ts";

const FAILED = 1;

const ALL = Object.keys(CLUSTER_PEERS) as ClusterPeerName[];
/** All but the one that is broken on purpose. The first is the control. */
const COMPARED: readonly ClusterPeerName[] = ["socket.io streams", "socket.io sharded", "hub on ws", "hub on uws"];

/** What came of one slice. */
interface Result {
  readonly case: string;
  readonly peer: ClusterPeerName;
  readonly round: number;
  readonly figures?: ClusterFigures;
  /** Why it does not count. */
  readonly failure?: string;
}

/**
 * Runs the scenario `cluster`, and prints what came of it.
 *
 * @returns the exit status.
 */
export async function runCluster(args: readonly string[]): Promise<number> {
  const { nodes, pairs, seconds, peers, json } = optionsOf(args);
  const results: Result[] = [];
  for (const each of casesFor(nodes)) {
    for (let round = 0; round < pairs; round++) {
      // Forwards and backwards, so that who comes first has no advantage.
      for (const peer of round % 2 === 0 ? peers : peers.toReversed()) {
        process.stderr.write(`${each.name}, round ${round + 1}: ${peer}\n`);
        results.push({
          case: each.name,
          peer,
          round,
          ...(await outcomeOf(ClusterSlice.measure(peer, each, nodes, seconds))),
        });
      }
    }
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ nodes, seconds, results }, undefined, 2)}\n`);
  console.log(tableOf(results, peers, nodes));
  return results.some(({ failure }) => failure !== undefined) ? FAILED : 0;
}

async function outcomeOf(measuring: Promise<ClusterFigures>): Promise<Pick<Result, "failure" | "figures">> {
  try {
    const figures = await measuring;
    return figures.faults === 0
      ? { figures }
      : { failure: `${figures.faults} messages were lost, twice or out of order` };
  } catch (error) {
    return { failure: (error as Error).message };
  }
}

function optionsOf(args: readonly string[]) {
  const one = { type: "string" } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { scenario: one, nodes: one, pairs: one, duration: one, peer: { ...one, multiple: true }, json: one },
    });
    const asked = values.peer?.flatMap((list) => list.split(","));
    return {
      nodes: numberOf("--nodes", values.nodes ?? "2", 2, 4),
      pairs: numberOf("--pairs", values.pairs ?? "3", 1, 100),
      seconds: Number(values.duration ?? "2"),
      peers: asked === undefined ? COMPARED : asked.map(peerOf),
      json: values.json,
    };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError((error as Error).message);
  }
}

function peerOf(name: string): ClusterPeerName {
  const peer = ALL.find((each) => dashed(each) === dashed(name));
  if (peer !== undefined) return peer;
  throw new UsageError(`The scenario cluster has no peer "${name}". It has: ${ALL.map(dashed).join(", ")}`);
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new UsageError(`${option} is a whole number from ${least} to ${most}, not "${text}"`);
}

const COLUMNS = [
  "CPU us",
  "engine us",
  "deliveries/s",
  "bytes/needed",
  "added us",
  "round trip us",
  "added/trip",
] as const;

function tableOf(results: readonly Result[], peers: readonly ClusterPeerName[], nodes: number): string {
  const lines = [
    `${nodes} nodes and one Redis server; medians over the rounds. CPU is of all nodes for one delivery, in parentheses to that of`,
    `${peers[0]} in the same round. Bytes are what the engine sent, to the bodies that nodes needed of each other.`,
    "",
    row("case", "peer", [...COLUMNS]),
  ];
  for (const name of new Set(results.map((result) => result.case))) {
    for (const peer of peers) {
      const own = results.filter((result) => result.case === name && result.peer === peer);
      const failure = own.find((result) => result.failure !== undefined)?.failure;
      const figures = own.flatMap((result) => result.figures ?? []);
      const ratios = own.flatMap(({ round, figures: of }) => {
        const control = results.find(
          (result) => result.case === name && result.peer === peers[0] && result.round === round,
        );
        return of === undefined || control?.figures === undefined ? [] : [of.cpu / control.figures.cpu];
      });
      lines.push(
        failure === undefined
          ? row(name, peer, cellsOf(figures, median(ratios)))
          : row(name, peer, [`void: ${failure}`]),
      );
    }
  }
  return lines.join("\n");
}

function cellsOf(figures: readonly ClusterFigures[], ratio: number): string[] {
  const of = (figure: (figures: ClusterFigures) => number): number => median(figures.map(figure));
  const timed = figures.flatMap(({ added, roundTrip }) =>
    added === undefined || roundTrip === undefined ? [] : [{ added, roundTrip }],
  );
  const times =
    timed.length === 0
      ? []
      : [
          median(timed.map(({ added }) => added)).toFixed(0),
          median(timed.map(({ roundTrip }) => roundTrip)).toFixed(0),
          median(timed.map(({ added, roundTrip }) => added / roundTrip)).toFixed(2),
        ];
  return [
    `${of(({ cpu }) => cpu).toFixed(2)} (${ratio.toFixed(2)})`,
    of(({ engineCpu }) => engineCpu).toFixed(3),
    Math.round(of(({ throughput }) => throughput)).toLocaleString("en"),
    of(({ bytes }) => bytes).toFixed(2),
    ...times,
  ];
}

function row(name: string, peer: string, cells: readonly string[]): string {
  return [name.padEnd(22), peer.padEnd(18), ...cells.map((cell) => cell.padStart(14))].join(" ");
}
