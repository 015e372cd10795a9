// Makes one file of the built client, for pages without a bundler.
import { readFileSync } from "node:fs";
import { build } from "esbuild";

const { license, version } = JSON.parse(readFileSync("package.json", "utf8"));

await build({
  entryPoints: ["dist/client/index.js"],
  outfile: "dist/client/roomcast-client.min.js",
  bundle: true,
  format: "esm",
  minify: true,
  banner: { js: `/*! roomcast ${version}, ${license} */` },
});
