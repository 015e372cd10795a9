import type { Hub } from "roomcast";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createRecoveryHub, type RecoveryTypes } from "../../../examples/recovery/recovery.ts";
import { launchBrowser } from "./browser.ts";
import { Cable } from "./cable.ts";
import { TRANSPORTS } from "../../support/transports.ts";

const CLIENT = new URL("../../../examples/recovery/client.html", import.meta.url);

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

describe.each(TRANSPORTS)("the page with nothing but a WebSocket, on %s", (transport) => {
  let hub: Hub<RecoveryTypes>;
  let cable: Cable;
  let page: Page;
  let said: string[];

  beforeEach(async () => {
    said = [];
    hub = createRecoveryHub({ transport });
    const { port } = await hub.listen({ host: "127.0.0.1" });
    cable = await Cable.to(port);
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    page = await context.newPage();
    // It waits for up to five seconds before it connects again.
    await page.addInitScript("Math.random = () => 0;");
    await page.goto(`${CLIENT.href}?port=${cable.port}`);
    await isIn();
    // Who has never heard of a position is new.
    await page.waitForFunction("since.lobby !== undefined");
  });

  afterEach(async () => {
    await cable.remove();
    await hub.close();
  });

  /** Waits until the page is in the room. */
  async function isIn(): Promise<void> {
    await expect.poll(() => hub.rooms.get("lobby")?.size).toBe(1);
  }

  /** Sends so many events to the room, whoever is there. */
  function say(count: number): void {
    for (let left = count; left > 0; left--)
      hub.to("lobby").emit("said", said[said.push(`line ${said.length}`) - 1] ?? "");
  }

  function shown(): Promise<string[]> {
    return page.locator("#log li").allTextContents();
  }

  test("misses nothing and hears nothing twice when its connection is cut again and again", async () => {
    for (let round = 0; round < 3; round++) {
      say(2);
      // In the middle of what is on its way.
      cable.sever();
      say(2);
      await expect.poll(shown).toStrictEqual(said);
      await isIn();
    }
    await page.getByLabel("Text").fill("from the page");
    await page.keyboard.press("Enter");
    await expect.poll(shown).toStrictEqual([...said, "from the page"]);
  });

  test("misses nothing when it is loaded again, and is told of a gap when the server is another one", async () => {
    say(3);
    await expect.poll(shown).toStrictEqual(said);
    await page.goto("about:blank");
    await expect.poll(() => hub.rooms.size).toBe(0);
    say(3);
    await page.goBack();
    await expect.poll(shown).toStrictEqual(said);
    await page.reload();
    await isIn();
    say(1);
    await expect.poll(shown).toStrictEqual(said);
    await hub.forget("lobby");
    said.push("Something may be missing here in lobby.");
    say(1);
    await expect.poll(shown).toStrictEqual(said);
  });
});
