import { test } from "vitest";
import { Simulation } from "roomcast/testing";
import { scenarioOf } from "../../../simulation/scenario.ts";
test("j", async () => {
  const [a = 1, b = a] = (process.env["SEEDS"] ?? "1").split("-").map(Number);
  const duration = Number(process.env["DURATION"] ?? 4000);
  let bad = 0, n = 0;
  const gaps: Record<string, number> = {};
  const t = process.cpuUsage();
  for (let seed = a; seed <= b; seed++) {
    const o = await new Simulation({ ...scenarioOf(seed, { duration, isCalm: process.env["CALM"] === "1" }), journal: a === b }).run();
    if (a === b) console.log(o.journal.join("\n"));
    n += o.counts.deliveries;
    for (const [reason, count] of Object.entries(o.counts.gaps)) gaps[reason] = (gaps[reason] ?? 0) + count;
    if (o.violations.length && bad++ < 8) console.log(seed, o.violations.slice(0, 3), o.reads);
  }
  console.log({ n, gaps, bad, ms: process.cpuUsage(t).user / 1000 });
}, 900_000);
