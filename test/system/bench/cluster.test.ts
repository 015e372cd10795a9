import { casesFor } from "../../../bench/cluster/cases.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { execFile } from "node:child_process";
import { Installation } from "../../support/installation.ts";

const PACKAGES = ["ws", "nanoid", "uWebSockets.js", "redis", "autocannon"];

let installation: Installation;
beforeAll(async () => {
  installation = await Installation.build(PACKAGES);
});
afterAll(() => installation.remove());

/** Runs the scenario for a moment, with these peers. */
function run(...peers: readonly string[]): Promise<{ readonly status: unknown; readonly output: string }> {
  const args = [
    "bench/bench.js",
    "--scenario",
    "cluster",
    "--pairs",
    "1",
    "--duration",
    "0.3",
    "--peer",
    peers.join(","),
  ];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: installation.folder }, (error, stdout, stderr) => {
      resolve({ status: error?.code ?? 0, output: stdout || stderr });
    });
  });
}

test("a peer that keeps messages from other nodes is caught, wherever they are missed", async () => {
  const { status, output } = await run("drops");
  expect(status).toBe(1);
  const row = (name: string): string => output.split("\n").find((line) => line.startsWith(name)) ?? "";
  for (const { name } of casesFor(2)) {
    expect(row(name)).toMatch(/void: (\d+ messages were lost|Of \d+ messages of each node some have not arrived)/);
  }
}, 120_000);

test("a peer that does not exist is named", async () => {
  const { status, output } = await run("nobody");
  expect(status).toBe(2);
  expect(output).toContain('"nobody"');
});
