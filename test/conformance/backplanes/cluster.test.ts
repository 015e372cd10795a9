import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cluster } from "roomcast/backplanes/cluster";
import { backplaneSuite } from "roomcast/testing";
import { describe, expect, it, test } from "vitest";
import { TRANSPORTS } from "../../support/transports.ts";
import { CLUSTER_TRANSPORTS } from "../../support/cluster-transports.ts";

// This process is a primary one.
backplaneSuite(
  { describe, it },
  { name: "cluster", create: (prefix) => cluster({ prefix }), hasLog: true },
  CLUSTER_TRANSPORTS,
);

test("the suite passes in a worker", { timeout: 120_000 }, async () => {
  const program = fileURLToPath(new URL("cluster-worker.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...TRANSPORTS], { maxBuffer: 1e8 });
  const counts = /pass (\d+)\n\S+ fail (\d+)/.exec(stdout);
  expect({ passed: Number(counts?.[1]) > 60, failed: counts?.[2] }).toEqual({ passed: true, failed: "0" });
});
