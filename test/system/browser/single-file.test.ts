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

test("the page of API.md that has no bundler connects with the single file alone", async () => {
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
  const errors: string[] = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.getByText("Hello").waitFor();
  expect(errors).toEqual([]);
  expect(asked.filter((url) => url !== "/favicon.ico")).toEqual(["/", "/roomcast-client.min.js"]);
});
