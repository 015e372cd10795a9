import { casesFor } from "../../../bench/cluster/cases.ts";
import { RECORDED, RING, STORM } from "../../../bench/history/budgets.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Tally } from "../../../bench/recovery/journal.ts";
import { Installation } from "../../support/installation.ts";

const PACKAGES = ["ws", "nanoid", "uWebSockets.js", "redis", "autocannon", "socket.io", "socket.io-client"];

/** The runs take half a minute, and mostly wait; many times that where other programs keep both cores busy. */
const PATIENCE = 480_000;

interface Finished {
  readonly status: unknown;
  readonly output: string;
}

let installation: Installation;
let cluster: Finished;
let recovery: Finished;
let recoveryInCluster: Finished;
let history: Finished;
let presence: Finished;
beforeAll(async () => {
  installation = await Installation.build(PACKAGES);
  [cluster, recovery, recoveryInCluster, history, presence] = await Promise.all([
    run("cluster", "--pairs", "1", "--duration", "0.3", "--peer", "drops"),
    run("recovery", ...SHORT, "--members", "20", "--peer", "hub,hub-plain-clients", "--json", "recovery.json"),
    run(
      "recovery",
      ...SHORT,
      "--members",
      "40",
      "--rate",
      "100",
      "--peer",
      "drops",
      "--nodes",
      "2",
      "--json",
      "cluster.json",
    ),
    run("history", "--members", "50", "--duration", "0.02", "--pairs", "1", "--transport", "ws", "--no-pin"),
    run("presence", "--members", "30", "--pairs", "1"),
  ]);
}, PATIENCE);
afterAll(() => installation.remove());

/** Every connection is cut once or twice. */
const SHORT = ["--duration", "3", "--cut", "2"];

/** Runs a scenario for a moment. */
function run(scenario: string, ...args: readonly string[]): Promise<Finished> {
  const options = { cwd: installation.folder, timeout: PATIENCE };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["bench/bench.js", "--scenario", scenario, ...args],
      options,
      (error, stdout, stderr) => {
        resolve({ status: error?.code ?? 0, output: stdout || stderr });
      },
    );
  });
}

/** The line of a table that is about this. */
function rowOf({ output }: Finished, name: string): string {
  return output.split("\n").find((line) => line.startsWith(name)) ?? "";
}

test("a peer that keeps messages from other nodes is caught, wherever they are missed", () => {
  expect(cluster.status).toBe(1);
  for (const { name } of casesFor(2)) {
    expect(rowOf(cluster, name)).toMatch(
      /void: (\d+ messages were lost|Of \d+ messages of each node some have not arrived)/,
    );
  }
});

describe("clients whose connections are cut", () => {
  interface Result {
    readonly contestant: string;
    readonly tally: Tally;
  }

  function tallyOf(file: string, contestant: string): Tally | undefined {
    const text = readFileSync(join(installation.folder, file), "utf8");
    const { results } = JSON.parse(text) as { readonly results: readonly Result[] };
    return results.find((result) => result.contestant === contestant)?.tally;
  }

  test.each(["hub", "hub, plain clients"])("get everything, once and in order: %s", (contestant) => {
    const tally = tallyOf("recovery.json", contestant);
    expect(recovery.status).toBe(0);
    expect(tally?.due).toBeGreaterThan(0);
    expect(tally?.reconnections).toBeGreaterThan(0);
    expect(tally).toMatchObject({ arrived: tally?.due, silent: 0, duplicates: 0, reordered: 0, gaps: {} });
    expect(rowOf(recovery, `${contestant}  `)).toContain("100.00 %");
  });

  test("are seen to miss what a server did not record", () => {
    expect(recoveryInCluster.status).toBe(1);
    const tally = tallyOf("cluster.json", "drops");
    expect(tally?.silent).toBeGreaterThan(0);
    expect(tally?.arrived).toBeLessThan(tally?.due ?? 0);
  });
});

test("a record is measured in all that was promised of it", () => {
  expect([history.status, history.output]).toEqual([0, expect.any(String)]);
  const names = [
    ...RECORDED.map(({ members, perTurn }) => `CPU recorded / not, ${members} members, ${perTurn} a turn`),
    RING.name,
    ...Object.values(STORM).map(({ name }) => name),
  ];
  for (const name of names) expect(rowOf(history, `hub on ws  ${name}`)).toMatch(/\d.* <= [\d.]+ +(kept|NOT KEPT)$/);
});

test("presence is measured in memory, bytes and time", () => {
  expect([presence.status, presence.output]).toEqual([0, expect.any(String)]);
  for (const name of [
    "memory of that node, for a user",
    "engine, one user coming",
    "until all nodes know of one user",
  ]) {
    expect(rowOf(presence, name)).toMatch(/ \d\S* (B|ms) /);
  }
});
