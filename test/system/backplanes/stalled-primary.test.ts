import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { until } from "./local-node.ts";

const PROGRAM = fileURLToPath(new URL("stalled-primary.mjs", import.meta.url));

interface Told {
  readonly role: "one" | "two";
  readonly pid: number;
  readonly event: string;
}

test("workers whose primary process stands still have an outage, and afterwards hear old rooms and new ones", async (t) => {
  const primary = spawn(process.execPath, [PROGRAM], { stdio: ["ipc", "pipe", "inherit"] });
  t.onTestFinished(() => void primary.kill("SIGKILL"));
  const told: Told[] = [];
  createInterface({ input: primary.stdout as Readable }).on("line", (line) => told.push(JSON.parse(line) as Told));
  const saysEach = (event: string): boolean =>
    new Set(told.filter((one) => one.event === event).map(({ role }) => role)).size === 2;
  await until(() => saysEach("ready"));
  primary.kill("SIGSTOP");
  for (const { pid } of told.filter(({ event }) => event === "ready")) process.kill(pid, "SIGUSR2");
  await until(() => saysEach("full") && saysEach("ERR_HUB_BACKPLANE"));
  primary.kill("SIGCONT");
  await until(() => saysEach("synced"));
  const hearsOne = (room: string): boolean =>
    told.some(({ role, event }) => role === "one" && event === `heard ${room}`);
  await until(() => hearsOne("meanwhile") && hearsOne("afterwards"));
  expect(told.filter(({ event }) => event === "ERR_HUB_BACKPLANE")).toHaveLength(2);
});
