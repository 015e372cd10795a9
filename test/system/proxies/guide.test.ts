import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import type { TransportName } from "roomcast";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { blocksOf, type Block } from "../../support/markdown.ts";
import { closeAll, removeSnippets, run } from "../../support/snippets.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { collectWarnings } from "../../support/warnings.ts";
import { launchBrowser } from "../browser/browser.ts";
import { printed, replaced, ReverseProxy } from "./reverse-proxy.ts";

/** The server and the page of the guide's section on pages from another server, which are no files. */
const [SERVER, PAGE] = blocksOf("docs/guide/first-chat.md").filter(
  ({ info }) => info.length === 1 && ["js", "ts"].includes(info[0] ?? ""),
) as [Block, Block];
const LEAST = printed("nginx", "least");
/** The line of docs/PROXIES.md by which a page connects through the proxy. */
const CONNECT = blocksOf("docs/PROXIES.md").find(({ info }) => info[0] === "js")?.text ?? "";
const NEEDED = Array.from(LEAST.matchAll(/^ +proxy_set_header .*\n/gm), ([line]) => line);

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser(["--host-resolver-rules=MAP chat.example 127.0.0.1"]);
});

afterAll(async () => {
  await browser.close();
  removeSnippets();
});

afterEach(closeAll);

let runs = 0;

/** Starts the guide's server, and resolves with its port. */
async function startServer(transport: TransportName): Promise<number> {
  const text = replaced(SERVER.text, [
    ['transport: "ws"', `transport: "${transport}"`],
    ["const { port }", "export const { port }"],
  ]);
  // A module runs once under each name.
  const { port } = await run({ ...SERVER, path: `${SERVER.path} ${runs++}`, text });
  return port as number;
}

/**
 * Runs the guide's page behind nginx, without some lines of the configuration.
 *
 * @returns the first two lines that it prints; one with the code if the connection ends.
 */
async function open(transport: TransportName, without = ""): Promise<readonly string[]> {
  const hub = await startServer(transport);
  const nginx = await ReverseProxy.start("nginx", ({ port, folder }) =>
    replaced(LEAST, [
      ["listen 80;", `listen 127.0.0.1:${port};`],
      ["/srv/www", folder],
      ["127.0.0.1:8080", `127.0.0.1:${hub}`],
      [without, ""],
    ]),
  );
  const script = replaced(PAGE.text, [
    ['const socket = new WebSocket("ws://localhost:8080");\n', CONNECT],
    ["console.log(JSON.parse(data))", "console.log(data)"],
  ]);
  const end = "socket.onclose = ({ code }) => console.log(`closed with ${code}`);";
  await writeFile(join(nginx.folder, "index.html"), `<!doctype html><script>${script}\n${end}</script>`);
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  const lines: string[] = [];
  const printedAll = new Promise<void>((resolve) => {
    page.on("console", (message) => {
      if (message.type() !== "log") return;
      lines.push(message.text());
      if (lines.length === 2 || message.text().startsWith("closed")) resolve();
    });
  });
  await page.goto(`http://chat.example:${nginx.port}/`);
  await printedAll;
  return lines;
}

describe("the first page of the guide behind nginx", () => {
  test.each(TRANSPORTS)("works with the least configuration, on %s", async (transport) => {
    const [welcome = "", reply] = await open(transport);
    expect(JSON.parse(welcome)).toMatchObject({ event: "hub:welcome", data: { protocol: 1 } });
    expect(reply).toBe('{"reply":1,"data":3}');
  });

  test.each(NEEDED.map((line) => [line.trim(), line]))("does not work without `%s`", async (name, line) => {
    const warnings = collectWarnings();
    expect(await open("ws", line)).toEqual(["closed with 1006"]);
    expect(warnings.map(({ code }) => code)).toEqual(name.includes(" Host ") ? ["HUB_UNHEARD_REFUSAL"] : []);
  });
});
