import { defineConfig, type UserConfig } from "vite";

/** `npx vite examples/react/page` while working on the page, with the server of `npm run react` beside it. */
const config: UserConfig = defineConfig({
  server: { proxy: { "/socket": { target: "ws://localhost:8080", ws: true } } },
});

export default config;
