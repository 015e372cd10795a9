import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { count, UsageError } from "../command-line.ts";
import { intervalOf, numberOf } from "../numbers.ts";
import { bootstrap } from "../statistics/bootstrap.ts";
import { aligned, wrapped } from "../terminal/text.ts";
import { FULL, GRACE, LEASE, Nodes, ROOM } from "./nodes.ts";

/** Longer than the grace, and what is added to it. */
const GONE = GRACE + 1_000;

/** Users that come together, in one turn. */
const CROWD = 100;

/** The time for which a client of a large room is watched, in milliseconds. */
const WATCHED = 5_000;

/** What a run is asked to do. */
interface Options {
  readonly rounds: number;
  readonly users: number;
  readonly seed: number;
  readonly json: string | undefined;
}

/** One figure, by rounds. */
interface Result {
  readonly name: string;
  readonly unit: string;
  readonly values: number[];
}

/**
 * Runs the scenario `presence`, and prints what came of it.
 *
 * @returns the exit status.
 */
export async function runPresence(args: readonly string[]): Promise<number> {
  const options = optionsOf(args);
  const run = new PresenceRun(options.users);
  for (let round = 0; round < options.rounds; round++) {
    process.stderr.write(`round ${round + 1}\n`);
    await run.round();
  }
  const { results } = run;
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ options, results }, undefined, 2)}\n`);
  console.log(textOf(results, options));
  return 0;
}

class PresenceRun {
  readonly results: Result[] = [];
  readonly #users: number;

  constructor(users: number) {
    this.#users = users;
  }

  async round(): Promise<void> {
    await this.#large();
    await this.#small();
  }

  /** A room in which clients are told the count alone. */
  async #large(): Promise<void> {
    const nodes = new Nodes([ROOM]);
    await nodes.fill(this.#users);
    for (const { hub } of nodes.all) hub.presence(ROOM).on("in", () => {});
    await sleep(100);
    const begun = performance.now();
    const toldBefore = nodes.told;
    for (const { hub } of nodes.all) hub.local.join(ROOM);
    await nodes.agree(this.#users);
    this.#add("until three nodes agree, all users entering in one turn", "ms", performance.now() - begun);
    this.#add("engine, for each of these users", "B", (nodes.told - toldBefore) / this.#users);
    // The nodes have asked each other for the last time that all had begun to listen.
    await sleep(LEASE + 500);

    const signs = nodes.all.map(({ backplane }) => backplane.signs);
    await sleep(LEASE);
    const perLease = nodes.all.map(({ backplane }, index) => backplane.signs - (signs[index] as number));
    this.#add("engine, signs of life of a node, each lease", "B", sumOf(perLease) / nodes.all.length);

    await this.#comeAndGo(nodes, 1, "one user");
    await this.#comeAndGo(nodes, CROWD, `each of ${CROWD} users at once`);

    const before = heap();
    const started = nodes.told;
    const startedAt = performance.now();
    nodes
      .add()
      .hub.presence(ROOM)
      .on("in", () => {});
    await nodes.agree(this.#users);
    this.#add("until a node that begins to follow the room knows all", "ms", performance.now() - startedAt);
    await sleep(LEASE);
    this.#add("engine, for that node", "B", nodes.told - started);
    this.#add("memory of that node, for a user", "B", (heap() - before) / this.#users);

    const { socket, client } = await nodes.at(0).connect("watcher");
    let [bytes, notices] = [0, 0];
    client.addEventListener("message", (event) => {
      bytes += ((event as MessageEvent).data as string).length;
      notices++;
    });
    socket.presence(ROOM).watch();
    socket.join(ROOM);
    for (let time = 0, user = 0; time < WATCHED; time += 100) {
      for (let each = 0; each < 10; each++) {
        const { socket: other } = await nodes.at(user).connect(`passer-${user++}`);
        other.join(ROOM);
      }
      await sleep(100);
    }
    this.#add(`client above ${FULL} users, each second at 100 users a second`, "B", (1_000 * bytes) / WATCHED);
    this.#add("of these, notices", "", (1_000 * notices) / WATCHED);
    await nodes.close();
  }

  async #comeAndGo(nodes: Nodes, users: number, who: string): Promise<void> {
    const visitors = [];
    for (let user = 0; user < users; user++) visitors.push(await nodes.at(0).connect(`visitor-${user}`));
    await sleep(100);
    const before = nodes.told;
    const begun = performance.now();
    for (const { socket } of visitors) socket.join(ROOM);
    await nodes.agree(this.#users + users);
    if (users === 1) this.#add("until all nodes know of one user", "ms", performance.now() - begun);
    await sleep(100);
    const came = nodes.told;
    for (const { client } of visitors) client.close();
    await sleep(GONE);
    await nodes.agree(this.#users);
    await sleep(100);
    this.#add(`engine, ${who} coming`, "B", (came - before) / users);
    this.#add(`engine, ${who} going`, "B", (nodes.told - came) / users);
  }

  /** A room in which clients are told who is there. */
  async #small(): Promise<void> {
    const nodes = new Nodes([ROOM]);
    await nodes.fill(FULL - 1);
    for (const { hub } of nodes.all) hub.local.join(ROOM);
    await nodes.agree(FULL - 1);
    await sleep(500);
    const { socket, client } = await nodes.at(0).connect("watcher");
    const sizes: number[] = [];
    client.addEventListener("message", (event) => sizes.push(((event as MessageEvent).data as string).length));
    socket.presence(ROOM).watch();
    socket.join(ROOM);
    await nodes.agree(FULL);
    await sleep(500);
    this.#add(`client, the list of ${FULL} users`, "B", sizes[0] ?? Number.NaN);
    sizes.length = 0;
    nodes.all[0]?.hub.sockets.get(socket.id)?.presence(ROOM).set(null);
    await sleep(500);
    this.#add("client, one change", "B", sizes[0] ?? Number.NaN);
    await nodes.close();
  }

  #add(name: string, unit: string, value: number): void {
    const known = this.results.find((result) => result.name === name);
    if (known === undefined) this.results.push({ name, unit, values: [value] });
    else known.values.push(value);
  }
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Returns the bytes in use after a collection. */
function heap(): number {
  collect();
  collect();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function optionsOf(args: readonly string[]): Options {
  const one = { type: "string" } as const;
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: { scenario: one, pairs: one, members: one, seed: one, json: one },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return {
    rounds: count("--pairs", values.pairs ?? "5"),
    users: count("--members", values.members ?? "10000"),
    seed: count("--seed", values.seed ?? "1"),
    json: values.json,
  };
}

function textOf(results: readonly Result[], { users, seed }: Options): string {
  const about =
    `A room of ${users} users on three nodes, which are in one process with their engine and their clients, without a network. ` +
    `The lease is ${LEASE} ms, and no user has data. Medians over the rounds, with bootstrap intervals. Bytes of the engine are ` +
    "those that nodes publish; it hands them to every node that hears the room.";
  const rows = results.map(({ name, unit, values }) => {
    const interval = bootstrap(values, seed);
    return [name, `${numberOf(interval.median)}${unit === "" ? "" : ` ${unit}`}`, intervalOf(interval, numberOf)];
  });
  return [wrapped(about), "", ...aligned([["", "median", "95 %"], ...rows], [0])].join("\n");
}
