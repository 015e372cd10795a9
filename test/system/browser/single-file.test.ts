import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Hub } from "roomcast";
import { ws } from "roomcast/transports/ws";
import { expect, onTestFinished, test } from "vitest";
import { blocksOf } from "../../support/markdown.ts";
import { launchBrowser } from "./browser.ts";

const FILE = new URL("../../../dist/client/roomcast-client.min.js", import.meta.url);

/** Functions that browsers got after the oldest ones of `docs/REQUIREMENTS.md`. */
const NEWER: Readonly<Record<string, readonly string[]>> = {
  "Array.prototype": ["toReversed", "toSorted", "toSpliced", "with"],
  Array: ["fromAsync"],
  "String.prototype": ["isWellFormed", "toWellFormed"],
  Object: ["groupBy"],
  Map: ["groupBy"],
  "Set.prototype": ["union", "intersection", "difference", "isSubsetOf", "isSupersetOf", "isDisjointFrom"],
  Promise: ["try", "withResolvers"],
  AbortSignal: ["any", "timeout"],
  URL: ["canParse", "parse"],
  globalThis: ["structuredClone", "Iterator"],
};

/** Takes the functions away from a page before its scripts run. */
function withoutNewer(functions: typeof NEWER): void {
  for (const [path, names] of Object.entries(functions)) {
    const owner = path.split(".").reduce<object>((found, key) => Reflect.get(found, key) as object, globalThis);
    for (const name of names) Reflect.deleteProperty(owner, name);
  }
}

test.each([
  ["that Debian has", false],
  ["without the functions that the oldest browsers lack", true],
])("the page of API.md that has no bundler connects with the single file alone in a Chromium %s", async (_, isOld) => {
  const pages = blocksOf("docs/API.md").filter(({ info }) => info[0] === "html");
  expect(pages).toHaveLength(1);

  const asked: (string | undefined)[] = [];
  const server = createServer(({ url }, response) => {
    asked.push(url);
    if (url === "/roomcast-client.min.js")
      response.setHeader("Content-Type", "text/javascript").end(readFileSync(FILE));
    else response.setHeader("Content-Type", "text/html").end(pages[0]?.text);
  });
  const hub = new Hub({ transport: ws({ server }), path: "/chat", joinable: (room) => room === "lobby" });
  hub.handle("chat", (text) => hub.to("lobby").emit("chat", text));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const browser = await launchBrowser();
  onTestFinished(async () => {
    await browser.close();
    await hub.close();
    server.close();
  });

  const page = await browser.newPage();
  if (isOld) await page.addInitScript(withoutNewer, NEWER);
  const errors: string[] = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.getByText("Hello").waitFor();
  expect(errors).toEqual([]);
  expect(asked.filter((url) => url !== "/favicon.ico")).toEqual(["/", "/roomcast-client.min.js"]);
});
