import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { Hub, type HubOptions } from "roomcast";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createServer as createViteServer } from "vite";
import { createPlainHub } from "../../../examples/plain/plain.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { launchBrowser } from "./browser.ts";

const CLIENT = new URL("../../../examples/plain/client.html", import.meta.url);

/** The least page, for hubs with the protocol of roomcast. */
const TUTORIAL = `<!doctype html><title>waiting</title><script>
  const socket = new WebSocket("ws://localhost:" + new URLSearchParams(location.search).get("port"));
  socket.onmessage = ({ data }) => { document.title = JSON.parse(data).event; };
  socket.onclose = () => { document.title = "closed"; };
</script>`;

/** The same page in a frame as any page can make one, whose origin is "null". */
const FRAMED = `<!doctype html><title>waiting</title><script>
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts";
  frame.srcdoc = \`<script>
    const socket = new WebSocket("ws://localhost:\${new URLSearchParams(location.search).get("port")}");
    socket.onopen = () => parent.postMessage("open", "*");
    socket.onclose = () => parent.postMessage("closed", "*");
  <\\/script>\`;
  onmessage = ({ data }) => { document.title = data; };
  addEventListener("load", () => document.body.append(frame));
</script>`;

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

afterAll(() => browser.close());

/** Serves the pages on a port of its own, as any development server does. */
async function servePages(host: string): Promise<number> {
  const pages: Readonly<Record<string, string>> = {
    "/client.html": readFileSync(CLIENT, "utf8"),
    "/tutorial.html": TUTORIAL,
    "/framed.html": FRAMED,
  };
  const server = createServer((request, response) => {
    response.setHeader("Content-Type", "text/html; charset=utf-8").end(pages[request.url?.split("?", 1)[0] ?? ""]);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server.listen(0, host), "listening");
  return (server.address() as AddressInfo).port;
}

/** The development server of Vite, on the folder of the example. */
async function serveWithVite(): Promise<string> {
  const server = await createViteServer({
    root: fileURLToPath(new URL(".", CLIENT)),
    configFile: false,
    logLevel: "silent",
    server: { port: 0, host: "localhost" },
  });
  onTestFinished(() => server.close());
  await server.listen();
  return server.resolvedUrls?.local[0]?.replace(/\/$/, "") ?? "";
}

/** Opens the client of the example, unchanged, and resolves with what it shows once it is greeted. */
async function statusAt(url: string): Promise<string> {
  const page = await browser.newPage();
  await page.goto(url);
  await page.getByText("ID của bạn: ").waitFor();
  return page.getByRole("status").innerText();
}

const CONNECTED = "Đã kết nối";

describe.each(TRANSPORTS)("a page of this machine and a hub on %s", (transport) => {
  /** Starts a hub with its default origins, and returns its port. */
  async function startHub(options: HubOptions = {}): Promise<number> {
    const hub = new Hub({ transport, ...options });
    hub.on("refusal", () => {});
    onTestFinished(() => hub.close());
    return (await hub.listen()).port;
  }

  async function startExample(): Promise<number> {
    const hub = createPlainHub({ transport });
    onTestFinished(() => hub.close());
    return (await hub.listen()).port;
  }

  test("the tutorial's client talks to the plain example from the disk", async () => {
    expect(await statusAt(`${CLIENT.href}?port=${await startExample()}`)).toBe(CONNECTED);
  });

  test("the tutorial's client talks to the plain example from Vite's development server", async () => {
    expect(await statusAt(`${await serveWithVite()}/client.html?port=${await startExample()}`)).toBe(CONNECTED);
  });

  test.each([
    ["localhost", "127.0.0.1"],
    ["127.0.0.1", "127.0.0.1"],
    ["127.0.0.2", "127.0.0.2"],
    ["[::1]", "::1"],
    ["app.localhost", "127.0.0.1"],
  ])("it does so from a server at %s, and a hub with default origins takes that page", async (name, host) => {
    const origin = `http://${name}:${await servePages(host)}`;
    expect(await statusAt(`${origin}/client.html?port=${await startExample()}`)).toBe(CONNECTED);
    const page = await browser.newPage();
    await page.goto(`${origin}/tutorial.html?port=${await startHub()}`);
    await expect.poll(() => page.title()).toBe("hub:welcome");
  });

  test("a page in a sandbox, which anybody can make, is refused by default", async () => {
    const origin = `http://localhost:${await servePages("127.0.0.1")}`;
    const opened = async (options: HubOptions): Promise<string> => {
      const page = await browser.newPage();
      await page.goto(`${origin}/framed.html?port=${await startHub(options)}`);
      await page.waitForFunction("document.title !== 'waiting'");
      return page.title();
    };
    expect(await opened({})).toBe("closed");
    expect(await opened({ origins: ["same"] })).toBe("closed");
    expect(await opened({ origins: ["null"] })).toBe("open");
  });
});
