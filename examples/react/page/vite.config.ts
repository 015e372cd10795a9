import { defineConfig, type UserConfig } from "vite";

/** `npx vite examples/react/page` while working on the page, with the server of `npm run react` beside it. */
const config: UserConfig = defineConfig({
  build: {
    rolldownOptions: {
      onLog(level, log, report) {
        // `roomcast/react` is marked for server components, which this page does not have. Vite's plugin for React keeps
        // this quiet, too.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
      },
    },
  },
  server: { proxy: { "/socket": { target: "ws://localhost:8080", ws: true } } },
});

export default config;
