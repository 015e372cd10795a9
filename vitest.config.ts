import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url));

const config: ViteUserConfig = defineConfig({
  resolve: {
    // The package by its own name, from source: what users import, without a build in between.
    alias: [
      { find: /^roomcast$/, replacement: source("index.ts") },
      { find: /^roomcast\/backplanes\/(.*)$/, replacement: source("backplanes/$1/index.ts") },
      { find: /^roomcast\/client$/, replacement: source("client/index.ts") },
      { find: /^roomcast\/(contract|msgpack)$/, replacement: source("$1/index.ts") },
      { find: /^roomcast\/testing$/, replacement: source("testing/index.ts") },
      { find: /^roomcast\/transports\/(.*)$/, replacement: source("transports/$1/index.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    typecheck: { enabled: true, include: ["test/**/*.test-d.ts"] },
    // Beside the usual report, one that `.ci/run` counts.
    reporters: ["default", ["json", { outputFile: `.reports/node-${process.versions.node}.json` }]],
    // The browser and the real sockets need more than the usual five seconds on a busy machine of two cores.
    testTimeout: 30_000,
  },
});

export default config;
