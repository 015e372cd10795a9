import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../support/free-port.ts";
import { Installation } from "../../support/installation.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { launchBrowser } from "./browser.ts";
import { Example } from "./example.ts";
import { ReactPage } from "./react-page.ts";

const PAGE = fileURLToPath(new URL("../../../examples/react/page", import.meta.url));

/** As in `composer.tsx`: how long it is shown that somebody is typing who does not go on. */
const HOLDS = 3_000;

let browser: Browser;
let installation: Installation;

beforeAll(async () => {
  [browser, installation] = await Promise.all([
    launchBrowser(),
    Installation.build(["ws", "nanoid", "uWebSockets.js", "react", "zod"]),
  ]);
  await build({
    root: PAGE,
    logLevel: "error",
    resolve: {
      alias: {
        "roomcast/client": join(installation.packageFolder("roomcast"), "dist/client/index.js"),
        "roomcast/react/presence": join(installation.packageFolder("roomcast"), "dist/react/presence.js"),
        "roomcast/react": join(installation.packageFolder("roomcast"), "dist/react/index.js"),
      },
    },
    // React's development build: only there does its strict mode mount everything twice.
    define: { "process.env.NODE_ENV": '"development"' },
    build: { outDir: join(installation.folder, "examples/react/page/dist") },
  });
}, 60_000);

afterAll(async () => {
  await browser.close();
  installation.remove();
});

describe.each(TRANSPORTS)("the React example, on %s", (transport) => {
  let port: number;
  let server: Example;
  let pages: ReactPage[];

  beforeEach(async () => {
    pages = [];
    port = await freePort();
    server = await Example.start(installation, "react", transport, port);
  });

  afterEach(async () => {
    await Promise.all(pages.map((page) => page.close()));
    await server.stop();
    const errors = pages.flatMap(({ errors: reported }) => reported);
    if (errors.length > 0) throw new Error(`The page reported: ${errors.join("; ")}`);
  });

  /** Opens the page in this room, and enters under this name. */
  async function enter(name: string, room = "lobby"): Promise<ReactPage> {
    const page = await ReactPage.open(browser, `${server.url}/#${room}`);
    pages.push(page);
    await page.isConnected();
    await page.rename(name);
    await page.isAnswered(`You are ${name} now.`);
    return page;
  }

  it("shows messages once with the sender's name, and the history to those who join later", async () => {
    const ada = await enter("Ada");
    const ben = await enter("Ben");
    await ada.say("Hello Ben");
    await ben.hears("Ada", "Hello Ben");
    await ben.say("Hello <b>Ada</b>");
    await ada.hears("Ben", "Hello <b>Ada</b>");
    await ben.hears("Ben", "Hello <b>Ada</b>");
    const cleo = await enter("Cleo");
    await cleo.hears("Ben", "Hello <b>Ada</b>");
    for (const page of [ada, ben, cleo]) {
      expect(await page.messages()).toEqual(["Ada Hello Ben", "Ben Hello <b>Ada</b>"]);
    }
  });

  it("shows the user's own messages on the right, also after a reload, and when each was said", async () => {
    const ada = await enter("Ada");
    const ben = await enter("Ben");
    await ada.page.getByText("Nobody has said anything here yet.").waitFor();
    const before = Date.now();
    await ada.say("Hello Ben");
    await ben.hears("Ada", "Hello Ben");
    await ben.say("Hello Ada");
    await ada.hears("Ben", "Hello Ada");
    // Until the server has answered, the sender's own is shown as being sent.
    await ben.hears("Ben", "Hello Ada");
    expect([await ada.own(), await ben.own()]).toEqual([["Ada Hello Ben"], ["Ben Hello Ada"]]);
    expect(await ada.page.getByText("Nobody has said").count()).toBe(0);
    const own = await ada.page.locator("li.own").boundingBox();
    const other = await ada.page.locator("li.other").boundingBox();
    expect(own?.x).toBeGreaterThan(other?.x ?? Infinity);
    const time = await ada.page.locator("li.own time").getAttribute("datetime");
    expect(Date.parse(time ?? "")).toBeGreaterThanOrEqual(before - 1);

    await ada.page.reload();
    await ada.hears("Ben", "Hello Ada");
    expect(await ada.own()).toEqual(["Ada Hello Ben"]);
  });

  it("shows the room of every address, also of one that is no encoded text", async () => {
    const ada = await enter("Ada", "100%");
    await ada.page.getByRole("heading", { level: 2, name: "100%", exact: true }).waitFor();
    await ada.isTold("This room cannot be joined");
    await ada.goTo("tea");
    await ada.page.getByText("Nobody has said anything here yet.").waitFor();
    expect(await ada.page.getByRole("alert").innerText()).toBe("");
  });

  it("counts who is in which room, and keeps the rooms apart", async () => {
    const ada = await enter("Ada");
    const ben = await enter("Ben");
    await ada.seesRooms("lobby 2 people", "tea 0 people", "music 0 people");
    await ben.goTo("tea");
    await ada.seesRooms("lobby 1 person", "tea 1 person", "music 0 people");
    await ben.seesRooms("lobby 1 person", "tea 1 person", "music 0 people");

    await ada.say("For the lobby");
    await ada.hears("Ada", "For the lobby");
    await ben.say("For tea");
    await ben.hears("Ben", "For tea");
    expect(await ben.messages()).toEqual(["Ben For tea"]);
    expect(await ada.messages()).toEqual(["Ada For the lobby"]);

    await ben.close();
    await ada.seesRooms("lobby 1 person", "tea 0 people", "music 0 people");
  });

  it("shows who is typing, until they have said it or stop", async () => {
    const ada = await enter("Ada");
    const ben = await enter("Ben");
    await ada.page.clock.install();
    await ben.page.clock.install();

    await ben.message.pressSequentially("Hel");
    await ada.sees("Ben is typing …");
    await ben.say("Hello");
    await ada.hears("Ben", "Hello");
    await expect.poll(() => ada.typing()).toBe("");

    await ben.message.pressSequentially("How");
    await ada.sees("Ben is typing …");
    await ben.page.clock.runFor(HOLDS);
    await expect.poll(() => ada.typing()).toBe("");
    expect(await ben.typing()).toBe("");
  });

  it("shows who is in the room, each user once, and nothing when one of two tabs is closed", async () => {
    const ada = await enter("Ada");
    await ada.isWith("1 here: Ada");
    const ben = await enter("Ben");
    await ada.isWith("2 here: Ada, Ben");
    const tab = await ben.openTab();
    await tab.getByText("2 here: Ada, Ben").waitFor();
    await ada.page.evaluate(`
      told = [];
      new MutationObserver(() => told.push(document.querySelector(".people").innerText))
        .observe(document.querySelector(".people"), { characterData: true, childList: true, subtree: true });
    `);
    await tab.close();
    // Who comes now is told after whatever would have been told of the tab.
    const cleo = await enter("Cleo");
    await cleo.isWith("3 here: Ada, Ben, Cleo");
    await ada.isWith("3 here: Ada, Ben, Cleo");
    await ben.close();
    await ada.isWith("2 here: Ada, Cleo");
    expect(await ada.page.evaluate("told.filter((text) => !text.includes('Cleo') && !text.includes('Guest'))")).toEqual(
      [],
    );
  });

  it("answers requests: a name that is taken is refused", async () => {
    const ada = await enter("Ada");
    const ben = await enter("Ben");
    await ben.rename("Ada");
    await ben.isAnswered("Ada is somebody else.");
    await ben.rename("   ");
    await ben.isAnswered("data.name");
    await ben.rename(" Benjamin ");
    await ben.isAnswered("You are Benjamin now.");
    await ben.say("It is me");
    await ada.hears("Benjamin", "It is me");
    expect(await ada.messages()).toEqual(["Benjamin It is me"]);
  });

  it("shows why a room cannot be joined, and lets the user go elsewhere", async () => {
    const ada = await enter("Ada", "cellar");
    await ada.isTold("This room cannot be joined");
    await ada.goTo("music");
    await ada.say("Better here");
    await ada.hears("Ada", "Better here");
    expect(await ada.page.getByRole("alert").innerText()).toBe("");
  });

  it("connects once under strict mode, and once more after the server has restarted, in the same room", async () => {
    const ada = await enter("Ada", "tea");
    const ben = await enter("Ben", "tea");
    expect([ada.sockets, ben.sockets]).toEqual([1, 1]);
    expect(await ada.messages()).toEqual([]);
    await ben.say("Before");
    await ada.hears("Ben", "Before");

    await server.stop();
    await ada.isReconnecting();
    await ben.isReconnecting();
    await ada.say("Is anybody there?");
    await ada.hears("Sending …", "Is anybody there?");

    server = await Example.start(installation, "react", transport, port);
    await ada.isConnected();
    await ben.isConnected();
    await ben.hears("Ada", "Is anybody there?");
    await ben.say("I am");
    await ada.hears("Ben", "I am");
    await ada.seesRooms("lobby 0 people", "tea 2 people", "music 0 people");
    expect(await ada.messages()).toEqual(["Ben Before", "Ada Is anybody there?", "Ben I am"]);
  });
});
