import { Hub } from "roomcast";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { blocksOf } from "../../support/markdown.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { launchBrowser } from "./browser.ts";
import { Cable } from "./cable.ts";

/** The client of `docs/PRESENCE.md`, as it stands there. */
const CLIENT = blocksOf("docs/PRESENCE.md").find(({ info }) => info[0] === "js")?.text;

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

test.each(TRANSPORTS)("a page with nothing but a WebSocket knows who is there, on %s", async (transport) => {
  const hub = new Hub({
    transport,
    origins: "*",
    authenticate: ({ query }) => ({ id: query.get("user") ?? "" }),
    joinable: () => true,
    presence: { rooms: ["chat"], grace: 0, full: 2 },
  });
  onTestFinished(() => hub.close());
  const { port } = await hub.listen({ host: "127.0.0.1" });
  const cable = await Cable.to(port);
  onTestFinished(() => cable.remove());
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  /** Opens a page for a user, and returns what it shows. */
  async function open(
    user: string,
  ): Promise<{ readonly shown: () => Promise<string>; readonly close: () => Promise<void> }> {
    const page = await context.newPage();
    // It does not wait before it connects again.
    await page.evaluate(`
      Math.random = () => 0;
      url = "ws://127.0.0.1:${cable.port}/?user=${user}";
      room = "chat";
      shown = "";
      handle = () => {};
      show = (users, count) => (shown = count + " " + [...users].map(([id, data]) => id + "=" + data).sort());
      (() => { ${CLIENT}; open(); })();
    `);
    return { shown: () => page.evaluate("shown"), close: () => page.close() };
  }
  const ann = await open("ann");
  await expect.poll(ann.shown).toBe("1 ann=null");
  const tabs = [await open("ben"), await open("ben")] as const;
  await expect.poll(tabs[1].shown).toBe("2 ann=null,ben=null");
  await expect.poll(ann.shown).toBe("2 ann=null,ben=null");
  await tabs[0].close();
  await expect.poll(() => hub.rooms.get("chat")?.size).toBe(2);
  const ben = [...hub.sockets.values()].find(({ user }) => user?.id === "ben");
  ben?.presence("chat").set("typing");
  await expect.poll(ann.shown).toBe("2 ann=null,ben=typing");
  const cleo = await open("cleo");
  await expect.poll(ann.shown).toBe("3 ");
  cable.sever();
  await cleo.close();
  await tabs[1].close();
  await expect.poll(ann.shown).toBe("1 ann=null");
});
