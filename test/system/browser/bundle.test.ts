import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { Hub } from "roomcast";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { launchBrowser } from "./browser.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import config from "../../../vitest.config.ts";

/** The entry for pages, and from source what else a test imports. */
const ALIASES = [
  { find: /^roomcast\/client$/, replacement: new URL("../../../src/client/index.ts", import.meta.url).pathname },
  ...((config.resolve?.alias ?? []) as readonly { find: RegExp; replacement: string }[]),
];

/** What an application's build makes of `source`: one minified module. */
async function bundle(source: string): Promise<Rolldown.OutputChunk> {
  const folder = mkdtempSync(join(tmpdir(), "roomcast-bundle-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const input = join(folder, "entry.js");
  writeFileSync(input, source);
  const { output } = (await build({
    configFile: false,
    logLevel: "silent",
    root: folder,
    resolve: { alias: ALIASES },
    build: { write: false, minify: true, rolldownOptions: { input, preserveEntrySignatures: "strict" } },
  })) as Rolldown.RolldownOutput;
  expect(output).toHaveLength(1);
  return output[0];
}

const CLIENT = 'export { connect } from "roomcast/client";';
const WITH_MESSAGE_PACK = `${CLIENT} export { msgpackCodec } from "roomcast/msgpack";`;

describe("the bundle of the client", () => {
  it("contains the client and the protocol alone, and needs nothing at run time", async () => {
    const { code, moduleIds, imports, dynamicImports } = await bundle(CLIENT);
    const modules = moduleIds.filter((id) => !id.endsWith("/entry.js"));
    expect(modules.filter((id) => !/\/src\/(client|protocol)\/[^/]+\.ts$/.test(id))).toEqual([]);
    expect(modules.length).toBeGreaterThan(1);
    expect([...imports, ...dynamicImports]).toEqual([]);
    expect(code).not.toMatch(/\bimport\b|\brequire\b|node:|msgpack/i);
  });

  it("contains MessagePack only where it is imported", async () => {
    const { code, moduleIds, imports } = await bundle(WITH_MESSAGE_PACK);
    expect(moduleIds.filter((id) => id.includes("/node_modules/msgpackr/"))).not.toEqual([]);
    expect(imports).toEqual([]);
    expect(code).not.toMatch(/\brequire\(|node:/);
  });
});

describe.each(TRANSPORTS)("the bundle of the client in a browser, on %s", (transport) => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser();
  });

  afterAll(() => browser.close());

  /** A page that has the bundle in a script of its own and nothing else, and what it reports as wrong. */
  async function open(source: string): Promise<{ page: Page; errors: string[] }> {
    const { code } = await bundle(source);
    const server = createServer(({ url }, response) => {
      if (url === "/client.js") response.setHeader("Content-Type", "text/javascript").end(code);
      else {
        response.setHeader("Content-Type", "text/html")
          .end(`<!doctype html><title>Client</title><link rel="icon" href="data:,">
          <script type="module">import * as client from "/client.js"; Object.assign(globalThis, client);</script>`);
      }
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const context = await browser.newContext();
    onTestFinished(async () => {
      await context.close();
      server.close();
    });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", ({ message }) => errors.push(message));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return { page, errors };
  }

  it("connects, gets a reply, joins a room, gets its messages, and closes", async () => {
    const hub = new Hub({ transport, origins: "*", joinable: (room) => room === "lobby" });
    hub.handle("sum", ({ a, b }: { a: number; b: number }) => a + b);
    hub.handle("shout", (text: string) => hub.to("lobby").emit("news", text));
    const closed = new Promise((resolve) => void hub.on("disconnection", (_, how) => resolve(how)));
    const url = await listen(hub);

    const { page, errors } = await open(CLIENT);
    const seen = await page.evaluate(`(async () => {
      const client = connect("${url}");
      const news = new Promise((resolve) => client.room("lobby").on("news", (data, { room }) => resolve([data, room])));
      const sum = await client.request("sum", { a: 1, b: 2 });
      const refused = await client.join("secret").catch(({ code, reason }) => [code, reason]);
      await client.join("lobby");
      client.emit("shout", "hello");
      const heard = await news;
      const { id } = client;
      await client.close(4321, "enough");
      return { sum, refused, heard, id, state: client.state };
    })()`);
    expect(seen).toEqual({
      sum: 3,
      refused: ["ERR_CLIENT_REMOTE", "not-joinable"],
      heard: ["hello", "lobby"],
      id: expect.any(String),
      state: "closed",
    });
    expect(await closed).toEqual({ code: 4321, reason: "enough" });
    expect(errors).toEqual([]);
  });

  it("speaks MessagePack, where dates and bytes survive", async () => {
    const { msgpackCodec } = await import("roomcast/msgpack");
    const hub = new Hub({ transport, origins: "*", codecs: [msgpackCodec] });
    hub.handle("echo", (data) => {
      expect(data).toEqual({ at: new Date(7), bytes: new Uint8Array([1, 2, 3]) });
      return data;
    });
    const url = await listen(hub);

    const { page, errors } = await open(WITH_MESSAGE_PACK);
    const seen = await page.evaluate(`(async () => {
      const client = connect("${url}", { codec: msgpackCodec });
      const { at, bytes } = await client.request("echo", { at: new Date(7), bytes: new Uint8Array([1, 2, 3]) });
      await client.close();
      return [at instanceof Date, at.getTime(), bytes instanceof Uint8Array, Array.from(bytes)];
    })()`);
    expect(seen).toEqual([true, 7, true, [1, 2, 3]]);
    expect(errors).toEqual([]);
  });

  it("gives the connection up when the browser goes offline, and reconnects as soon as it is online", async () => {
    const hub = new Hub({ transport, origins: "*" });
    const url = await listen(hub);
    const { page, errors } = await open(CLIENT);
    // The clock stands still: no delay ends, so that what brings the client back is the browser's word alone.
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    const states = (): Promise<unknown> => page.evaluate("states");
    await page.evaluate(`
      states = [];
      client = connect("${url}");
      client.on("hub:state", ({ state }) => states.push(state));
    `);
    await expect.poll(states).toEqual(["open"]);
    const first = await page.evaluate("client.id");

    await page.context().setOffline(true);
    await expect.poll(states).toEqual(["open", "waiting"]);
    await page.context().setOffline(false);
    await expect.poll(states).toEqual(["open", "waiting", "connecting", "open"]);
    expect(await page.evaluate("client.id")).not.toBe(first);
    expect(errors).toEqual([]);
  });
});

async function listen(hub: Hub): Promise<string> {
  onTestFinished(() => hub.close());
  const { port } = await hub.listen({ host: "127.0.0.1" });
  return `ws://127.0.0.1:${port}`;
}
