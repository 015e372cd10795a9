import { cpSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { freePort } from "../../support/free-port.ts";
import { Installation } from "../../support/installation.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { launchBrowser } from "./browser.ts";
import { Cable } from "./cable.ts";
import { Example } from "./example.ts";
import { ChatPage } from "./chat-page.ts";

const PUBLIC = fileURLToPath(new URL("../../../examples/chat/public", import.meta.url));

/** Of the hub, interval and timeout; and of the client. */
const HEARTBEAT = 45_000;
const LONGEST_FIRST_DELAY = 500;

let browser: Browser;
let installation: Installation;

beforeAll(async () => {
  [browser, installation] = await Promise.all([
    launchBrowser(),
    Installation.build(["ws", "nanoid", "uWebSockets.js", "zod"]),
  ]);
  cpSync(PUBLIC, join(installation.folder, "examples/chat/public"), { recursive: true });
});

afterAll(async () => {
  await browser.close();
  installation.remove();
});

describe.each(TRANSPORTS)("the chat's page on the client library, on %s", (transport) => {
  let port: number;
  let server: Example;
  let pages: ChatPage[];

  beforeEach(async () => {
    pages = [];
    port = await freePort();
    server = await Example.start(installation, "chat", transport, port);
  });

  afterEach(async () => {
    await Promise.all(pages.map((page) => page.close()));
    await server.stop();
    const errors = pages.flatMap(({ errors: reported }) => reported);
    if (errors.length > 0) throw new Error(`The page reported: ${errors.join("; ")}`);
  });

  async function openChat(path = "/client", origin = server.url): Promise<ChatPage> {
    const chat = await ChatPage.open(browser, `${origin}${path}`);
    pages.push(chat);
    return chat;
  }

  async function enter(name: string, room = "lobby", path?: string): Promise<ChatPage> {
    const chat = await openChat(path);
    await chat.enter(name, room);
    return chat;
  }

  it("is the same chat as that of the other page, a link away", async () => {
    const ada = await openChat("/");
    await ada.page.getByRole("link", { name: "The client library" }).click();
    await ada.page.waitForURL("**/client");
    expect(await ada.page.locator("#pages [aria-current]").allTextContents()).toEqual(["The client library"]);
    await ada.enter("Ada", "lobby");
    const ben = await enter("Ben", "lobby", "/");
    await ada.sees("Ben joined");
    await expect.poll(() => ada.people()).toEqual(["Ada", "Ben"]);

    await ada.say("Hello Ben");
    expect(await (await ben.hears("Hello Ben")).locator(".name").textContent()).toBe("Ada");
    await ben.say("Hello Ada");
    await ada.hears("Hello Ada");
    expect(await ada.texts()).toEqual(["Hello Ben", "Hello Ada"]);
    await ada.page.locator(".own:not(.sending)").waitFor();

    await ada.page.getByRole("button", { name: "Leave" }).click();
    await ben.sees("Ada left");
    await ada.enter("Ada", "lobby");
    await ben.sees("Ada joined");
  });

  it("loads the installed package's own modules, and no bundle", async () => {
    const ada = await enter("Ada");
    const modules = ada.requests.map((url) => new URL(url).pathname).filter((path) => path.startsWith("/roomcast/"));
    expect(modules).toContain("/roomcast/client/index.js");
    expect(modules).toContain("/roomcast/protocol/packet.js");
    expect(ada.requests.filter((url) => url.includes("connection.mjs"))).toEqual([]);
  });

  it("reconnects to its room, and sends what was written meanwhile", async () => {
    const ada = await enter("Ada");
    const ben = await enter("Ben", "tea");
    await ada.page.getByRole("button", { name: "tea 1 person" }).click();
    await ada.isIn("tea");

    await server.stop();
    await ada.isReconnecting();
    await ben.isReconnecting();
    await ada.say("Is anybody there?");
    await ada.page.locator(".own.sending").waitFor();

    server = await Example.start(installation, "chat", transport, port);
    await ada.isConnected();
    await ben.isConnected();
    await ada.page.locator(".own:not(.sending)").waitFor();
    await expect.poll(() => ada.people()).toEqual(["Ada", "Ben"]);
    await ben.say("I am");
    await ada.hears("I am");
    expect(await ada.texts()).toEqual(["Is anybody there?", "I am"]);
  });

  it("sends what went into a dead network once on the next connection", async () => {
    const cable = await Cable.to(port);
    onTestFinished(() => cable.remove());
    const ben = await enter("Ben");
    const ada = await openChat("/client", `http://127.0.0.1:${cable.port}`);
    await ada.page.clock.install();
    await ada.enter("Ada", "lobby");
    await ben.sees("Ada joined");

    cable.cut();
    await ada.say("Only once");
    await ben.say("Are you there?");
    await ben.page.locator(".own:not(.sending)").waitFor();
    await ada.page.clock.runFor(HEARTBEAT + LONGEST_FIRST_DELAY);
    await ada.sees("Connected again");
    await ben.hears("Only once");
    await ada.page.locator(".own:not(.sending)").waitFor();
    await ada.say("And then this");
    await ben.hears("And then this");
    expect(await ben.texts()).toEqual(["Are you there?", "Only once", "And then this"]);
    expect(await ada.texts()).toEqual(["Only once", "Are you there?", "And then this"]);
    expect(await ada.past()).toEqual(["Are you there?"]);

    // Who loads the page again sees what was said.
    await ben.page.reload();
    await ben.enter("Ben", "lobby");
    expect(await ben.past()).toEqual(["Are you there?", "Only once", "And then this"]);
  });

  it("shows on the entry form why the server refuses somebody, and does not reconnect by itself", async () => {
    const ada = await openChat();
    await ada.isRefusedForTheName();

    await ada.enter("Ada", "lobby");
    await expect.poll(() => ada.people()).toEqual(["Ada"]);
  });
});
