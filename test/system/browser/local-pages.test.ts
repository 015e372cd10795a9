import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Hub, type HubOptions } from "roomcast";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createServer as createViteServer } from "vite";
import { createPlainHub } from "../../../examples/plain/plain.ts";
import { blocksOf, proseOf, type Block } from "../../support/markdown.ts";
import { closeAll, removeSnippets, run } from "../../support/snippets.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { collectWarnings } from "../../support/warnings.ts";
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

/** Starts the development server of Vite on a folder, and resolves with its address. */
async function serveWithVite(folder: string): Promise<string> {
  const server = await createViteServer({
    root: folder,
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

/** Opens a page, and resolves with the first value that it prints. */
async function printedAt(url: string): Promise<unknown> {
  const page = await browser.newPage();
  const printed = page.waitForEvent("console", (message) => message.type() === "log");
  await page.goto(url);
  return (await printed).args()[0]?.jsonValue();
}

const CONNECTED = "Đã kết nối";

test("the page of those who come from Socket.IO gets its client from the server, and talks to the hub", async () => {
  onTestFinished(removeSnippets);
  onTestFinished(closeAll);
  const block = blocksOf("docs/MIGRATING.md").find(({ text }) => text.includes("roomcast/client/bundle"));
  const { server } = (await run(block as Block)) as { readonly server: Server };
  const page = await browser.newPage();
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
  await expect.poll(() => page.locator("body").innerText()).toBe("Hello");
});

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
    const vite = await serveWithVite(fileURLToPath(new URL(".", CLIENT)));
    expect(await statusAt(`${vite}/client.html?port=${await startExample()}`)).toBe(CONNECTED);
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

  test("whoever opens the hub's address reads that it is a WebSocket endpoint", async () => {
    const page = await browser.newPage();
    const response = await page.goto(`http://localhost:${await startHub()}/anywhere`);
    expect(response?.status()).toBe(426);
    expect(await page.getByRole("paragraph").innerText()).toMatch(
      /^This is a WebSocket endpoint of roomcast and no page:/,
    );
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

describe("the guide's page from another server", () => {
  const path = "docs/guide/first-chat.md";
  // What the reader writes to files has their names.
  const [SERVER, PAGE] = blocksOf(path).filter(
    ({ info }) => info.length === 1 && ["js", "ts"].includes(info[0] ?? ""),
  ) as [Block, Block];
  let runs = 0;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "roomcast-page-"));
  });

  afterEach(async () => {
    await closeAll();
    await rm(folder, { recursive: true });
  });

  afterAll(removeSnippets);

  /** Starts the server, with more options, and writes the page that connects to it. */
  async function arrange(more = ""): Promise<{ readonly fromVite: string; readonly fromDisk: string }> {
    const text = SERVER.text
      .replace('transport: "ws"', `transport: "ws"${more}`)
      .replace("const { port }", "export const { port }");
    // A module runs once under each name.
    const { port } = await run({ ...SERVER, path: `${SERVER.path} of a local page ${runs++}`, text });
    const script = PAGE.text.replace(":8080", `:${String(port)}`);
    const end = "socket.onclose = ({ code }) => console.log(`closed with ${code}`);";
    const file = join(folder, "index.html");
    await writeFile(file, `<!doctype html><script>${script}\n${end}</script>`);
    return { fromVite: `${await serveWithVite(folder)}/`, fromDisk: pathToFileURL(file).href };
  }

  const welcome = expect.objectContaining({ event: "hub:welcome" });

  test("work together if the page is served by Vite", async () => {
    const { fromVite } = await arrange();
    expect(await printedAt(fromVite)).toEqual(welcome);
  });

  test("do not if it is opened from the disk, of which one warning tells", async () => {
    const warnings = collectWarnings();
    const { fromDisk } = await arrange();
    for (const url of [fromDisk, fromDisk]) expect(await printedAt(url)).toBe("closed with 1006");
    expect(warnings.map(({ code }) => code)).toEqual(["HUB_UNHEARD_REFUSAL"]);
    expect(warnings[0]?.message).toContain('"null"');
  });

  test("do in both cases with the origins that the guide names", async () => {
    const [, origins] = /`(origins: [^`]*)`\.\s+Behind/.exec(proseOf(path)) ?? [];
    const { fromVite, fromDisk } = await arrange(`, ${origins}`);
    for (const url of [fromVite, fromDisk]) expect(await printedAt(url)).toEqual(welcome);
  });
});
