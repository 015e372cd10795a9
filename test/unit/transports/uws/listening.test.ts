import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { TRANSPORTS } from "../../../support/transports.ts";

test.runIf(TRANSPORTS.includes("uws"))("port 0 is another port for each hub in workers of node:cluster", async () => {
  const program = fileURLToPath(new URL("listening-worker.mjs", import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program]);
  expect(stderr).toBe("");
  const ports = JSON.parse(stdout) as readonly number[];
  expect(ports).toHaveLength(10);
  expect(new Set(ports).size).toBe(10);
});
