import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Hub } from "roomcast";
import { ws } from "roomcast/transports/ws";
import { expect, onTestFinished, test } from "vitest";
import { launchBrowser } from "./browser.ts";

const FILE = new URL("../../../dist/client/roomcast-client.min.js", import.meta.url);

const CHAT = `<!doctype html>
<script type="module">
  import { connect } from "/roomcast-client.min.js";
  const client = connect("/chat", { reconnect: { minDelay: 1, maxDelay: 1 } });
  addEventListener("pageshow", ({ persisted }) => client.emit("shown", persisted));
  client.join("tea");
</script>`;

test("a page in the back/forward cache makes no connection, and is in its rooms when it comes back", async () => {
  const server = createServer(({ url }, response) => {
    if (url === "/roomcast-client.min.js")
      response.setHeader("Content-Type", "text/javascript").end(readFileSync(FILE));
    else response.setHeader("Content-Type", "text/html").end(url === "/" ? CHAT : "<!doctype html>Elsewhere");
  });
  const hub = new Hub({ transport: ws({ server }), path: "/chat", joinable: () => true });
  const shown: unknown[] = [];
  hub.handle("shown", (isFromCache) => void shown.push(isFromCache));
  let connections = 0;
  hub.on("connection", () => connections++);
  const inRoom = (): number => hub.rooms.get("tea")?.size ?? 0;
  await once(server.listen(0, "127.0.0.1"), "listening");
  const browser = await launchBrowser([], ["--disable-back-forward-cache"]);
  onTestFinished(async () => {
    await browser.close();
    await hub.close();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const page = await browser.newPage();
  await page.goto(origin);
  await expect.poll(inRoom).toBe(1);
  await page.goto(`${origin}/elsewhere`);
  await expect.poll(() => hub.sockets.size).toBe(0);
  // Far longer than the longest wait between two attempts of this client.
  await sleep(500);
  expect(connections).toBe(1);

  // Playwright does not see a page that comes out of the cache, and would wait for it to load.
  void page.evaluate("history.back()").catch(() => {});
  await expect.poll(inRoom).toBe(1);
  await expect.poll(() => shown.at(-1)).toBe(true);
  expect(connections).toBe(2);
});
