import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url));

const globalSetup = "test/support/build.ts";

/** The tests of networks and proxies, and of what clients recover and know when something ends. */
const NETWORK = "test/system/{network,presence,proxies,recovery,simulation}/**/*.test.ts";

/** The tests that wait for programs which they start, such as engines, browsers and npm. */
const WAITING = "test/system/{backplanes,browser,neighbours,package,platforms,processes,python,weight}/**/*.test.ts";

/** Where this run reports as JSON, beside the usual report. */
const folder = process.env["TEST_REPORTS"];
const reports = folder && `${folder}/node-${process.versions.node}-${process.pid}.json`;

const config: ViteUserConfig = defineConfig({
  resolve: {
    // The package by its own name, from source: what users import, without a build in between.
    alias: [
      { find: /^roomcast$/, replacement: source("index.ts") },
      { find: /^roomcast\/backplanes\/(.*)$/, replacement: source("backplanes/$1/index.ts") },
      { find: /^roomcast\/client$/, replacement: source("client/node.ts") },
      { find: /^roomcast\/(client|react)\/presence$/, replacement: source("$1/presence.ts") },
      { find: /^roomcast\/(contract|msgpack|react)$/, replacement: source("$1/index.ts") },
      { find: /^roomcast\/testing$/, replacement: source("testing/index.ts") },
      { find: /^roomcast\/transports\/(.*)$/, replacement: source("transports/$1/index.ts") },
    ],
  },
  test: {
    // `.ci/run` names a folder in which it counts the results of all runs.
    reporters: reports === undefined ? ["default"] : ["default", ["json", { outputFile: reports }]],
    // Real sockets need more than the usual five seconds on a busy machine of two cores.
    testTimeout: 30_000,
    // So does a browser that starts.
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // A list that should be empty is told in full: `.ci/run` shows no more of a failure than its message.
    chaiConfig: { truncateThreshold: 2_000 },
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          // Many tests wait for sockets and timers, so that two cores take three files at a time.
          maxWorkers: Math.max(3, availableParallelism() - 1),
          include: ["test/{behaviour,conformance,docs,unit}/**/*.test.ts"],
          typecheck: { enabled: true, include: ["test/types/**/*.test-d.ts"] },
          globalSetup,
        },
      },
      {
        extends: true,
        // Its tests keep the processor busy: beside others of their kind, heartbeats would be missed.
        test: {
          name: "system",
          sequence: { groupOrder: 1 },
          include: ["test/system/**/*.test.ts"],
          exclude: [NETWORK, WAITING],
          globalSetup,
        },
      },
      {
        extends: true,
        // Its tests measure no time, and wait for half of theirs, so that two cores take three files.
        test: { name: "waiting", maxWorkers: 3, sequence: { groupOrder: 2 }, include: [WAITING], globalSetup },
      },
      {
        extends: true,
        // Its tests wait for minutes, for clients that read slowly and for times to pass.
        test: { name: "network", maxWorkers: 3, sequence: { groupOrder: 3 }, include: [NETWORK], globalSetup },
      },
    ],
  },
});

export default config;
