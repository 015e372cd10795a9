import { execFile } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Measurement, Phase } from "../../../bench/figures.ts";
import type { PeerName } from "../../../bench/peers/peer.ts";
import type { Results, Row } from "../../../bench/results.ts";
import { scenarios } from "../../../bench/scenarios/index.ts";
import { Installation } from "../../support/installation.ts";

const PACKAGES = [
  "ws",
  "nanoid",
  "uWebSockets.js",
  "socket.io",
  "crossws",
  "autocannon",
  "@observablehq/plot",
  "linkedom",
];

const STYLE = fileURLToPath(new URL("../../../bench/report/style.css", import.meta.url));

/** The runs take half a minute; many times that where other programs keep both cores busy. */
const PATIENCE = 240_000;

/**
 * So many messages in a turn that a measurement has more than 10,000 deliveries, however short it is: the faulty peers do
 * one of 10,000 wrong. And some clients are outside of whatever is sent to.
 */
const MANY = ["--scenario", "multi-room,churn", "--members", "100", "--rate", "400", "--duration", "0.1"];

/** Messages that waited longer than this, in microseconds, did so because of a pause of twice as long. */
const LONG = 100_000;

/** A pause comes every second: one is in a measurement of this length from its beginning to its end. */
const SECONDS = 1.2;

/** Every trial of every scenario with one peer, as small as it gets, and what it measured. */
const ALL_TRIALS = `
  import { ForkedStage } from "./bench/coordinator/forked-stage.js";
  import { PEERS } from "./bench/peers/index.js";
  import { pin } from "./bench/coordinator/pinning.js";
  import { scenarios } from "./bench/scenarios/index.js";
  const peer = "hub on ws";
  const pinning = pin(false);
  const measured = [];
  for (const { name, trials } of scenarios) {
    for (const trial of trials({ full: false, members: [10], rooms: 8, seconds: 0.05, seed: 1 })) {
      const { size, compression, flags = [] } = trial;
      const phases = { capacity: (stage) => trial.capacity(stage) };
      if (trial.latency !== undefined) phases.latency = (stage) => trial.latency(stage, 200, [0.75]);
      for (const [phase, run] of Object.entries(phases)) {
        const stage = new ForkedStage({ peer, dialect: PEERS[peer].dialect, size, compression, flags, pinning });
        try {
          await stage.opened();
          for (const measurement of await run(stage)) measured.push({ scenario: name, phase, measurement });
        } finally {
          await stage.close();
        }
      }
    }
  }
  console.log(JSON.stringify(measured));`;

/** What {@link ALL_TRIALS} prints. */
type Measured = readonly { readonly scenario: string; readonly phase: Phase; readonly measurement: Measurement }[];

interface Finished {
  readonly status: unknown;
  readonly output: string;
}

let installation: Installation;
let faulty: Finished;
let pausing: Finished;
let all: Finished;
beforeAll(async () => {
  installation = await Installation.build(PACKAGES);
  cpSync(STYLE, join(installation.folder, "bench/report/style.css"));
  const peers = ["--peer", "uws-publish,drops,duplicates,misroutes"];
  const small = ["--scenario", "one-to-all", "--members", "20", "--size", "64", "--duration", String(SECONDS)];
  [faulty, pausing, all] = await Promise.all([
    bench(...MANY, ...peers, "--json", "faulty.json", "--html", "faulty.html"),
    bench(...small, "--peer", "pauses", "--json", "pausing.json"),
    node("--input-type=module", "--eval", ALL_TRIALS),
  ]);
}, PATIENCE);
afterAll(() => installation.remove());

/** Without pinning, because several run at a time. */
function bench(...args: readonly string[]): Promise<Finished> {
  return node("bench/bench.js", "--no-pin", "--pairs", "1", ...args);
}

function node(...args: readonly string[]): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: installation.folder, timeout: PATIENCE }, (error, output) =>
      resolve({ status: error === null ? 0 : error.code, output }),
    );
  });
}

function resultsIn(name: string): Results {
  return JSON.parse(fileOf(name)) as Results;
}

function fileOf(name: string): string {
  return readFileSync(join(installation.folder, name), "utf8");
}

/** Of the only case of the only scenario, or of the one that is named. */
function rowOf({ rows }: Results, peer: PeerName, phase: Phase = "capacity", scenario?: string): Row | undefined {
  return rows.find(
    (row) => row.peer === peer && row.phase === phase && (scenario === undefined || row.scenario === scenario),
  );
}

function measurementsOf({ slices }: Results, peer: PeerName, phase: Phase): readonly Measurement[] {
  return slices.filter((slice) => slice.peer === peer && slice.phase === phase).flatMap((slice) => slice.measurements);
}

describe("a run with faulty peers", () => {
  it.each([
    ["drops", "missing"],
    ["duplicates", "duplicated"],
    ["misroutes", "misrouted"],
  ] as const)("declares the one that %s void", (peer, violation) => {
    const row = rowOf(resultsIn("faulty.json"), peer, "capacity", "multi-room");
    expect(row?.verdict).toBe("void");
    expect(row?.violations?.[violation]).toBeGreaterThan(0);
  });

  // Who is outside of the room has been in it, or will be: it cannot know that it must not hear this.
  it.each([
    ["drops", "missing"],
    ["misroutes", "misrouted"],
  ] as const)("declares the one that %s void where clients come and go", (peer, violation) => {
    const row = rowOf(resultsIn("faulty.json"), peer, "capacity", "churn");
    expect(row?.verdict).toBe("void");
    expect(row?.violations?.[violation]).toBeGreaterThan(0);
  });

  it.each(["multi-room", "churn"])("finds nothing wrong with the control in %s", (scenario) => {
    const row = rowOf(resultsIn("faulty.json"), "ws loop", "capacity", scenario);
    expect(row?.figures.cpu?.median).toBeGreaterThan(0);
    expect(row).not.toHaveProperty("violations");
    expect(row?.verdict).toBe("control");
  });

  it("fails, and prints why", () => {
    expect(faulty.status).toBe(1);
    expect(faulty.output).toMatch(/drops .*void/);
  });

  it("measures a peer that needs a native library, or says why it cannot be used here", () => {
    const results = resultsIn("faulty.json");
    const reason = results.peers.find(({ name }) => name === "uws publish")?.unavailable;
    const verdict = rowOf(results, "uws publish")?.verdict;
    expect(verdict === undefined).toBe(reason !== undefined);
    expect(verdict).not.toBe("void");
    expect(reason ?? "uWebSockets.js").toContain("uWebSockets.js");
  });

  it("writes down the machine, the settings and every slice", () => {
    const results = resultsIn("faulty.json");
    expect(results.machine).toMatchObject({ node: process.version, pinning: "not pinned, as asked" });
    expect(results.machine.packages["ws"]).toMatch(/^8\./);
    expect(results.options).toMatchObject({ scenarios: ["multi-room", "churn"], rounds: 1 });
    expect(results.peers.find(({ name }) => name === "ws loop")?.settings).toMatchObject({ library: "ws" });
    for (const peer of ["ws loop", "drops", "duplicates", "misroutes"] as const) {
      expect(measurementsOf(results, peer, "capacity")).not.toEqual([]);
      const [latency] = measurementsOf(results, peer, "latency");
      expect(latency?.latencies).not.toEqual([]);
    }
  });

  it("writes one page that needs nothing else", () => {
    const page = fileOf("faulty.html");
    expect(page).toMatch(/^<!doctype html>/i);
    expect(page).toContain("misroutes");
    expect(page).not.toMatch(/<(?:script|link|img|iframe|object|use)\b[^>]*\b(?:src|href|data)=(?!["']#)/i);
    expect(page).not.toMatch(/@import|url\(\s*["']?(?!["']?(?:#|data:))/i);
  });
});

describe("a run with a peer that pauses", () => {
  it("sees the pause, and every message that waited for its end", () => {
    const results = resultsIn("pausing.json");
    const row = rowOf(results, "pauses", "latency");
    expect([pausing.status, row?.verdict]).toEqual([0, expect.not.stringMatching("void")]);
    expect(row?.figures.max?.median).toBeGreaterThan(1.5 * LONG);
    const measurements = measurementsOf(results, "pauses", "latency");
    expect(measurements).not.toEqual([]);
    for (const { latencies = [] } of measurements) {
      const count = (entries: typeof latencies): number => entries.reduce((sum, [, messages]) => sum + messages, 0);
      const waited = count(latencies.filter(([latency]) => latency > LONG));
      // All that was due in the first half of the pause; a closed loop would not have sent it, and seen one message wait.
      expect(waited).toBeGreaterThan((0.9 * count(latencies) * LONG) / (SECONDS * 1e6));
    }
  });
});

describe("the scenarios, with a peer that does everything right", () => {
  it.each(scenarios)("$name measures what it asks, and nothing goes wrong", ({ name, headline }) => {
    expect(all.status).toBe(0);
    const measured = (JSON.parse(all.output) as Measured).filter(({ scenario }) => scenario === name);
    const phases = new Set(measured.map(({ phase }) => phase));
    expect(phases).toContain("capacity");
    for (const { phase, measurement } of measured) {
      expect(measurement.phase).toBe(phase);
      // What CPU a server uses that waits awake for the next message says nothing.
      const figure = phase === "latency" && headline === "cpu" ? "p99" : headline;
      expect(measurement.figures[figure]).toSatisfy(Number.isFinite);
      expect(Object.entries(measurement.violations ?? {}).filter(([, count]) => count > 0)).toEqual([]);
    }
  });
});
