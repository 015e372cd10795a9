import { Hub } from "roomcast";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { TRANSPORTS } from "../../support/transports.ts";
import { launchBrowser } from "./browser.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

describe.each(TRANSPORTS)("permessage-deflate in a browser, on %s", (transport) => {
  let hub: Hub;

  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await hub.close();
  });

  test("messages arrive unchanged and in order, in both directions", async () => {
    hub = new Hub({ transport, compression: true, welcome: false, origins: "*" });
    const messages: (string | Uint8Array)[] = [
      "small",
      "large ".repeat(10_000),
      "",
      new Uint8Array(70_000).map((_, index) => index >> 8),
      "é€😀".repeat(400),
      JSON.stringify(Array.from({ length: 20_000 }, (_, id) => ({ id, name: `name ${id}` }))),
      "last",
    ];
    const received: unknown[] = [];
    let extensions: string | undefined;
    hub.on("connection", ({ handshake }) => {
      extensions = handshake.headers["sec-websocket-extensions"];
      for (const message of messages) hub.send(message);
    });
    hub.handle("got", (data, socket) => {
      received.push(data);
      if (received.length === messages.length) socket.close(4000, "done");
    });
    const { port } = await hub.listen({ host: "127.0.0.1" });

    const page = await (await browser.newContext()).newPage();
    const closing = await page.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket("ws://127.0.0.1:${port}");
      socket.binaryType = "arraybuffer";
      socket.onmessage = ({ data: message }) => {
        const data = typeof message === "string" ? message : Array.from(new Uint8Array(message));
        socket.send(JSON.stringify({ event: "got", data }));
      };
      socket.onclose = ({ code, reason }) => resolve([socket.extensions, code, reason]);
    })`);

    expect(extensions).toContain("permessage-deflate");
    expect(received).toEqual(messages.map((message) => (typeof message === "string" ? message : Array.from(message))));
    expect(closing).toEqual([expect.stringContaining("permessage-deflate"), 4000, "done"]);
  });
});
