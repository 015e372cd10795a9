import { copyFileSync, readFileSync } from "node:fs";
import { defineConfig, type UserConfig } from "vitepress";
import { checkAnchors } from "./anchors.ts";
import { nameLanguages } from "./languages.ts";
import { linkNames, linkPages, slugOf } from "./links.ts";
import { DOCS } from "./pages.ts";
import { documents, navigation, reference } from "./sidebar.ts";

/** The files to which pages link and that are no pages. */
const FILES = ["protocol-vectors.json", "protocol-vectors.schema.json"];

const config: UserConfig = defineConfig({
  title: "roomcast",
  description: "Rooms over raw WebSockets for Node.js",
  // A browser would otherwise ask for an icon that is not there.
  head: [
    ["link", { rel: "icon", href: "data:," }],
    ["style", {}, readFileSync(`${DOCS}/.vitepress/style.css`, "utf8")],
  ],
  // The guide says where to look at what the reader has started. All other dead links fail the build.
  ignoreDeadLinks: "localhostLinks",
  markdown: {
    anchor: { slugify: slugOf },
    headers: { slugify: slugOf },
    config: (markdown) => void markdown.use(nameLanguages).use(linkPages).use(linkNames),
  },
  themeConfig: {
    nav: navigation(),
    sidebar: { "/reference/": [...reference()], "/": [...documents()] },
    outline: [2, 3],
    search: { provider: "local" },
  },
  buildEnd({ outDir }) {
    for (const name of FILES) copyFileSync(`${DOCS}/${name}`, `${outDir}/${name}`);
    checkAnchors(outDir);
  },
});

// oxlint-disable-next-line import/no-default-export -- VitePress asks for it.
export default config;
