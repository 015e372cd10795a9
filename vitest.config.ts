import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longest-first.ts";

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url));

const globalSetup = "test/support/build.ts";

/**
 * How many files of tests run at a time. Some keep a processor busy, and more of them wait, for sockets and timers, for
 * programs, for clients that read slowly and for times to pass, so that two cores take four.
 */
const maxWorkers = Math.max(4, availableParallelism());

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
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          maxWorkers,
          include: ["test/{behaviour,conformance,docs,unit}/**/*.test.ts"],
          typecheck: { enabled: true, include: ["test/types/**/*.test-d.ts"] },
          globalSetup,
        },
      },
      {
        extends: true,
        test: {
          name: "system",
          maxWorkers,
          sequence: { groupOrder: 1 },
          include: ["test/system/**/*.test.ts"],
          exclude: ["test/system/fuzz/**"],
          // After the build, because it packs what is built.
          globalSetup: [globalSetup, "test/support/packed.ts"],
        },
      },
      {
        extends: true,
        // Its servers are flooded while other clients have to be served: beside other files, heartbeats would be missed.
        test: {
          name: "fuzz",
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          include: ["test/system/fuzz/**/*.test.ts"],
          globalSetup,
        },
      },
    ],
  },
});

export default config;
