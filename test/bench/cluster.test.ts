import { casesFor } from "../../bench/cluster/cases.ts";
import { expect, test } from "vitest";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

const BENCH = fileURLToPath(new URL("../../bench/bench.js", import.meta.url));

/** Runs the scenario for a moment, with these peers. */
function run(...peers: readonly string[]): Promise<{ readonly status: unknown; readonly output: string }> {
  const args = [BENCH, "--scenario", "cluster", "--pairs", "1", "--duration", "0.3", "--peer", peers.join(",")];
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ status: error?.code ?? 0, output: stdout || stderr });
    });
  });
}

test("each peer has a row for each case, and one that keeps messages from other nodes is caught", async () => {
  const { status, output } = await run("hub-on-ws", "drops");
  expect(status).toBe(1);
  const rows = output.split("\n");
  for (const { name } of casesFor(2)) {
    expect(rows.find((row) => row.startsWith(name) && row.includes("hub on ws"))).toMatch(/ \d+\.\d\d \(1\.00\) /);
  }
  // In a room on both nodes somebody misses what was kept back.
  const dropping = rows.filter((row) => row.startsWith("one room") && row.includes("drops"));
  expect(dropping.map((row) => row.includes("void:"))).toEqual([true, true]);
}, 120_000);

test("a peer that does not exist is named", async () => {
  const { status, output } = await run("nobody");
  expect(status).toBe(2);
  expect(output).toContain('"nobody"');
});
