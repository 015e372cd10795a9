import type { Hub } from "roomcast";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createPlainHub, type PlainTypes } from "../../../examples/plain/plain.ts";
import { freePort } from "../../support/free-port.ts";
import { launchBrowser } from "./browser.ts";
import { TRANSPORTS } from "../../support/transports.ts";

const CLIENT = new URL("../../../examples/plain/client.html", import.meta.url);

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

describe.each(TRANSPORTS)("the plain client in a browser, on %s", (transport) => {
  let hub: Hub<PlainTypes>;
  let port: number;

  beforeEach(async () => {
    port = await freePort();
    await start();
  });

  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await hub.close();
  });

  async function start(): Promise<void> {
    hub = createPlainHub({ transport });
    await hub.listen({ host: "127.0.0.1", port });
  }

  /** Opens the page from disk, in a browser profile of its own, and waits until it is greeted. */
  async function open(): Promise<{ page: Page; id: string }> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${CLIENT.href}?port=${port}`);
    const greeting = await line(page, "ID của bạn: ");
    return { page, id: greeting.slice("ID của bạn: ".length) };
  }

  test("two browsers chat, and one learns that the other leaves", async () => {
    const an = await open();
    expect(await lines(an.page)).toStrictEqual(["Chào mừng đến với WebSocket Server!", `ID của bạn: ${an.id}`]);
    const binh = await open();
    await line(an.page, `${binh.id} đã tham gia`);

    await say(an.page, "An", "Chào Bình");
    expect(await line(binh.page, "Chào Bình")).toBe("An: Chào Bình");
    await say(binh.page, "Bình", "Chào An");
    expect(await line(an.page, "Chào An")).toBe("Bình: Chào An");
    // The server sends nobody their own messages back: the pong is the fence.
    await an.page.getByRole("button", { name: "Ping" }).click();
    await line(an.page, "pong");

    await binh.page.close();
    await line(an.page, `${binh.id} đã rời đi`);
    expect(await lines(an.page)).toStrictEqual([
      "Chào mừng đến với WebSocket Server!",
      `ID của bạn: ${an.id}`,
      `${binh.id} đã tham gia`,
      "An (bạn): Chào Bình",
      "Bình: Chào An",
      "pong",
      `${binh.id} đã rời đi`,
    ]);
  });

  test("hostile text and names are shown as text", async () => {
    const hostile = `<img src=x onerror="document.title='owned'">`;
    const an = await open();
    const binh = await open();
    await say(an.page, hostile, `${hostile}<script>document.title='owned'</script>`);
    expect(await line(binh.page, "<script>")).toBe(`${hostile}: ${hostile}<script>document.title='owned'</script>`);
    expect(await binh.page.locator("#log img, #log script").count()).toBe(0);
    expect(await binh.page.title()).toBe("WebSocket Chat");
    expect(await an.page.title()).toBe("WebSocket Chat");
  });

  test("text that is not JSON is answered with the error, and the connection goes on", async () => {
    const { page } = await open();
    await page.evaluate("ws.send('không phải JSON')");
    expect(await line(page, "Dữ liệu không hợp lệ")).toBe("Dữ liệu không hợp lệ");
    await page.getByRole("button", { name: "Ping" }).click();
    await line(page, "pong");
    expect(await page.getByRole("status").innerText()).toBe("Đã kết nối");
  });

  test("the page connects again when the server is back", async () => {
    const { page, id } = await open();
    await hub.close();
    await page.getByText("Mất kết nối, đang thử lại…").waitFor();
    await start();
    await page.getByText("Đã kết nối").waitFor();
    await page.getByText("ID của bạn: ").nth(1).waitFor();
    expect(await line(page, "ID của bạn: ")).not.toBe(`ID của bạn: ${id}`);

    const { page: other } = await open();
    await say(page, "An", "Đã trở lại");
    expect(await line(other, "Đã trở lại")).toBe("An: Đã trở lại");
  });
});

/** Waits for a line of the log that holds `text`, and returns the whole line. */
async function line(page: Page, text: string): Promise<string> {
  const found = page.locator("#log li").filter({ hasText: text }).last();
  await found.waitFor();
  return found.innerText();
}

function lines(page: Page): Promise<string[]> {
  return page.locator("#log li").allInnerTexts();
}

async function say(page: Page, user: string, message: string): Promise<void> {
  await page.getByLabel("Tên").fill(user);
  await page.getByLabel("Tin nhắn").fill(message);
  await page.getByLabel("Tin nhắn").press("Enter");
}
