import { once } from "node:events";
import type { Browser } from "playwright-core";
import { WebSocket } from "ws";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { startChatServer, type ChatServer } from "../../../examples/chat/chat-server.ts";
import { freePort } from "../../support/free-port.ts";
import { launchBrowser } from "./browser.ts";
import { Cable } from "./cable.ts";
import { ChatPage } from "./chat-page.ts";
import { TRANSPORTS } from "../../support/transports.ts";

/** As in `connection.mjs`. */
const PING_INTERVAL = 20_000;
const LONGEST_FIRST_DELAY = 500;

const NARROW = { width: 390, height: 844 };
const LANDSCAPE = { width: 844, height: 390 };

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

describe.each(TRANSPORTS)("the chat's page, on %s", (transport) => {
  let server: ChatServer;
  let pages: ChatPage[];

  beforeEach(async () => {
    pages = [];
    server = await startChatServer(transport, 0);
  });

  afterEach(async () => {
    await Promise.all(pages.map((page) => page.close()));
    await server.drain();
    const errors = pages.flatMap(({ errors: reported }) => reported);
    if (errors.length > 0) throw new Error(`The page reported: ${errors.join("; ")}`);
  });

  async function openChat(viewport?: { width: number; height: number }): Promise<ChatPage> {
    const chat = await ChatPage.open(browser, `http://localhost:${server.port}/`, viewport);
    pages.push(chat);
    return chat;
  }

  async function enter(name: string, room = "lobby"): Promise<ChatPage> {
    const chat = await openChat();
    await chat.enter(name, room);
    return chat;
  }

  it("carries messages between two browsers, with the sender's name, and echoes nothing to the sender", async () => {
    const ada = await enter("Ada");
    const ben = await enter("Ben");

    await ada.say("Hello Ben");
    const heard = await ben.hears("Hello Ben");
    expect(await heard.locator(".name").textContent()).toBe("Ada");

    // An echo would have come to Ada before this answer.
    await ben.say("Hello Ada");
    const answer = await ada.hears("Hello Ada");
    expect(await answer.locator(".name").textContent()).toBe("Ben");
    expect(await ada.texts()).toEqual(["Hello Ben", "Hello Ada"]);
    expect(await ben.texts()).toEqual(["Hello Ben", "Hello Ada"]);
    expect(await ada.page.locator(".own .text").allTextContents()).toEqual(["Hello Ben"]);
    expect(await ada.page.locator(".sending").count()).toBe(0);
  });

  it("shows who joins and who leaves", async () => {
    const ada = await enter("Ada");
    await expect.poll(() => ada.people()).toEqual(["Ada"]);

    const ben = await enter("Ben");
    await ada.sees("Ben joined");
    await expect.poll(() => ada.people()).toEqual(["Ada", "Ben"]);
    await expect.poll(() => ben.people()).toEqual(["Ben", "Ada"]);

    await ben.close();
    await ada.sees("Ben left");
    await expect.poll(() => ada.people()).toEqual(["Ada"]);

    const cleo = await enter("Cleo");
    await ada.sees("Cleo joined");
    await cleo.page.getByRole("button", { name: "Leave" }).click();
    await ada.sees("Cleo left");
    expect(await cleo.focus()).toBe("entry-name");
  });

  it("tells in one line who joined and left, and sorts people as they count", async () => {
    const ada = await enter("Ada");
    const { port } = server;
    const clients: WebSocket[] = [];
    onTestFinished(() => clients.forEach((client) => client.close()));
    const add = async (name: string): Promise<void> => {
      const client = new WebSocket(`ws://localhost:${port}/socket?name=${encodeURIComponent(name)}`);
      clients.push(client);
      await once(client, "open");
      client.send('{"event":"hub:join","data":{"room":"messages:lobby"}}');
    };
    await add("Guest 10");
    await ada.sees("Guest 10 joined");
    await add("Guest 2");
    await ada.sees("Guest 10 and Guest 2 joined");
    for (let number = 11; number < 69; number++) await add(`Guest ${number}`);
    await ada.sees("60 joined");
    expect((await ada.people()).slice(0, 4)).toEqual(["Ada", "Guest 2", "Guest 10", "Guest 11"]);
    clients[0]?.close();
    await ada.sees("60 joined, Guest 10 left");
    expect(await ada.page.locator(".system").allTextContents()).toEqual([
      "You joined the room",
      "60 joined, Guest 10 left",
    ]);
    await ada.say("Welcome");
    await add("Guest 1");
    await ada.sees("Guest 1 joined");
    expect((await ada.people()).slice(0, 3)).toEqual(["Ada", "Guest 1", "Guest 2"]);
  });

  it("shows who is typing, and that two tabs of a browser are one person", async () => {
    const ada = await enter("Ada");
    const ben = await enter("Ben");
    await ada.sees("Ben joined");
    const tab = await ben.page.context().newPage();
    await tab.goto(ben.page.url());
    await tab.getByLabel("Your name").fill("Ben");
    await tab.getByRole("button", { name: "Enter" }).click();
    await tab.getByText("You joined the room").waitFor();
    await ben.message.pressSequentially("Hel");
    await expect.poll(() => ada.typists()).toEqual(["Ben"]);
    await ben.say("Hello");
    await expect.poll(() => ada.typists()).toEqual([]);
    await tab.close();
    // Who comes now is told after whatever would have been told of the tab.
    const cleo = await enter("Cleo");
    await ada.sees("Cleo joined");
    await expect.poll(() => ada.people()).toEqual(["Ada", "Ben", "Cleo"]);
    expect(await ada.page.locator(".system").allTextContents()).toEqual([
      "You joined the room",
      "Ben joined",
      "Cleo joined",
    ]);
    await cleo.close();
    await ada.sees("Cleo left");
  });

  it("gives people a colour by their name, which a reconnection does not change", async () => {
    const ada = await enter("Ada");
    const colour = (name: string): Promise<string | null> =>
      ada.page.locator(".person").filter({ hasText: name }).locator(".avatar").getAttribute("style");
    const guests = await Promise.all([enter("Guest 1"), enter("Guest 2")]);
    await ada.sees("Guest 1");
    await ada.sees("Guest 2");
    const [first, second] = await Promise.all([colour("Guest 1"), colour("Guest 2")]);
    expect(first).toMatch(/^--hue: \d+;$/);
    expect(second).not.toBe(first);
    await guests[0].close();
    await ada.sees("Guest 1 left");
    await enter("Guest 1");
    await expect.poll(() => ada.people()).toContain("Guest 1");
    expect(await colour("Guest 1")).toBe(first);
  });

  it("leaves most of a phone on its side to the messages, and shows the whole entry form", async () => {
    const ada = await openChat(LANDSCAPE);
    const form = await ada.page.locator("#entry-form").boundingBox();
    expect((form?.y ?? 0) + (form?.height ?? Infinity)).toBeLessThanOrEqual(LANDSCAPE.height);
    await ada.enter("Ada", "lobby");
    const log = await ada.page.locator("#log").boundingBox();
    expect(log?.height).toBeGreaterThan(LANDSCAPE.height * 0.65);
    expect(await ada.page.evaluate("document.documentElement.scrollHeight")).toBe(LANDSCAPE.height);
  });

  it("keeps rooms apart, and lets people switch between them", async () => {
    const ada = await enter("Ada");
    const ben = await enter("Ben");
    const cleo = await enter("Cleo", "tea");
    await ada.sees("Ben joined");

    await ben.page.getByRole("button", { name: "tea 1 person" }).click();
    await ben.isIn("tea");
    await expect.poll(() => ben.people()).toEqual(["Ben", "Cleo"]);
    await ada.sees("Ben left");
    await cleo.sees("Ben joined");

    await ada.say("For the lobby only");
    await ada.page.locator(".message:not(.sending)").waitFor();
    await cleo.say("For tea only");
    await ben.hears("For tea only");
    expect(await ben.texts()).toEqual(["For tea only"]);

    await ben.page.getByRole("button", { name: "lobby 1 person" }).click();
    await ben.isIn("lobby");
    await cleo.sees("Ben left");
    await ben.say("Back in the lobby");
    await ada.hears("Back in the lobby");
    expect(await ada.texts()).toEqual(["For the lobby only", "Back in the lobby"]);
  });

  it("shows hostile text as text, wherever it comes from", async () => {
    const hostile = "<img src=x onerror=hacked=1>";
    const message = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
    const mallory = await enter(hostile, hostile);
    const ada = await enter("Ada", hostile);
    await mallory.sees("Ada joined");

    await mallory.say(message);
    const heard = await ada.hears(message);
    expect(await heard.locator(".name").textContent()).toBe(hostile);
    await expect.poll(() => ada.people()).toEqual(["Ada", hostile]);
    await expect.poll(() => ada.page.locator("#rooms bdi").allTextContents()).toEqual([hostile]);
    expect(await ada.page.title()).toBe(`${hostile} – roomcast chat`);

    await mallory.page.getByRole("button", { name: "Leave" }).click();
    await ada.sees(`${hostile} left`);
    for (const { page, requests } of [ada, mallory]) {
      expect(await page.evaluate("window.hacked")).toBeUndefined();
      expect(await page.locator('img[src="x"], .message img, .message script').count()).toBe(0);
      expect(requests.filter((url) => url.endsWith("/x"))).toEqual([]);
    }
  });

  it("reconnects to the same room when the server restarts", async () => {
    const port = await freePort();
    await server.drain();
    server = await startChatServer(transport, port);
    const ada = await enter("Ada", "tea");
    const ben = await enter("Ben", "tea");

    await server.drain();
    await ada.isReconnecting();
    await ben.isReconnecting();
    await ada.say("Is anybody there?");
    await ada.page.getByRole("alert").filter({ hasText: "There is no connection." }).waitFor();
    expect(await ada.message.inputValue()).toBe("Is anybody there?");
    expect(await ada.texts()).toEqual([]);

    server = await startChatServer(transport, port);
    await ada.sees("Connected again");
    await ben.sees("Connected again");
    await ada.isConnected();
    await expect.poll(() => ada.people()).toEqual(["Ada", "Ben"]);
    await expect.poll(() => ben.people()).toEqual(["Ben", "Ada"]);

    await ada.message.press("Enter");
    await ben.hears("Is anybody there?");
    await ben.say("I am");
    await ada.hears("I am");
    expect(await ada.texts()).toEqual(["Is anybody there?", "I am"]);
  });

  it("notices that the network is dead although nothing was closed, and reconnects", async () => {
    const cable = await Cable.to(server.port);
    onTestFinished(() => cable.remove());
    const ada = await ChatPage.open(browser, `http://127.0.0.1:${cable.port}/`);
    pages.push(ada);
    const { clock } = ada.page;
    await clock.install();
    await ada.enter("Ada", "lobby");

    // While the pings are answered, all is well. The answer to what Ada says comes after that to the ping before it.
    for (const text of ["one", "two", "three"]) {
      await clock.runFor(PING_INTERVAL);
      await ada.say(text);
      await ada.page.locator(".message:not(.sending)").filter({ hasText: text }).waitFor();
    }
    await ada.isConnected();

    const ben = await enter("Ben");
    expect(await ben.past()).toEqual(["one", "two", "three"]);
    cable.cut();
    await ben.say("Are you there?");
    await ben.page.locator(".own:not(.sending)").waitFor();
    await clock.runFor(2 * PING_INTERVAL + LONGEST_FIRST_DELAY);
    await ada.sees("Connected again");
    await ada.hears("Are you there?");
    expect(await ada.past()).toEqual(["Are you there?"]);
    await ada.say("Here I am again");
    await ben.hears("Here I am again");
    expect(await ada.texts()).toEqual(["one", "two", "three", "Are you there?", "Here I am again"]);
  });

  it("shows on the entry form why the server refuses somebody", async () => {
    const ada = await openChat();
    await ada.isRefusedForTheName();

    await ada.enter("Ada", "lobby");
    await expect.poll(() => ada.people()).toEqual(["Ada"]);
  });

  it("can be used with the keyboard alone", async () => {
    const ben = await enter("Ben");
    const ada = await openChat();
    const { keyboard } = ada.page;

    expect(await ada.focus()).toBe("entry-name");
    await keyboard.type("Ada");
    await keyboard.press("Enter");
    await ada.isConnected();
    expect(await ada.focus()).toBe("text");

    await keyboard.type("one");
    await keyboard.press("Shift+Enter");
    await keyboard.type("two");
    await keyboard.press("Enter");
    await ben.hears("one two");
    expect(await ben.texts()).toEqual(["one\ntwo"]);
    expect(await ada.focus()).toBe("text");

    // Back over the log, "Leave" and "Open" to the field that opens another room.
    for (let step = 0; step < 4; step++) await keyboard.press("Shift+Tab");
    expect(await ada.focus()).toBe("room-name");
    await keyboard.type("tea");
    await keyboard.press("Enter");
    await ada.isIn("tea");
    await ben.sees("Ada left");
    expect(await ada.focus()).toBe("text");
  });

  it("puts the rooms and people behind a button on a narrow screen", async () => {
    await enter("Ben", "tea");
    const ada = await openChat(NARROW);
    await ada.enter("Ada", "lobby");
    const menu = ada.page.getByRole("button", { name: "Rooms and people" });
    const tea = ada.page.getByRole("button", { name: "tea 1 person" });
    expect(await tea.isVisible()).toBe(false);

    await menu.press("Enter");
    await tea.waitFor();
    await ada.page.keyboard.press("Escape");
    await tea.waitFor({ state: "hidden" });
    expect(await ada.focus()).toBe("menu");

    await menu.click();
    await tea.click();
    await ada.isIn("tea");
    await tea.waitFor({ state: "hidden" });
    expect(await ada.page.evaluate("document.documentElement.scrollWidth")).toBe(NARROW.width);
  });
});
