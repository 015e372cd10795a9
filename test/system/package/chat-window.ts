import type { Browser, Page } from "playwright-core";

/** How long a page may take to show something on a busy machine, in milliseconds. */
const PATIENCE = 60_000;

/** The page of a chat, in a browser window that shares nothing with others. */
export class ChatWindow {
  readonly page: Page;
  readonly #errors: string[] = [];

  static async open(browser: Browser, url: string): Promise<ChatWindow> {
    const context = await browser.newContext();
    const window = new ChatWindow(await context.newPage());
    await window.page.goto(url);
    return window;
  }

  private constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", ({ message }) => this.#errors.push(message));
  }

  async say(text: string): Promise<void> {
    await this.page.getByPlaceholder("Say something").fill(text);
    await this.page.keyboard.press("Enter");
  }

  async sees(text: string): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  /**
   * Says something to another window, which answers, and waits until both show it.
   *
   * @returns the errors of both pages so far.
   */
  async chatsWith(other: ChatWindow): Promise<readonly string[]> {
    for (const { page } of [this, other]) {
      // A bare WebSocket takes nothing before it is open. Nobody types as quickly as a test does.
      await page.waitForFunction("typeof socket === 'undefined' || socket.readyState === WebSocket.OPEN");
    }
    await this.say("Anybody there?");
    for (const window of [this, other]) await window.sees("Anybody there?");
    await other.say("Yes & <b>no</b>");
    for (const window of [this, other]) await window.sees("Yes & <b>no</b>");
    return [...this.#errors, ...other.#errors];
  }
}
