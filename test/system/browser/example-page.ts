import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";

/** How long the page may take to show something, in milliseconds. It is much, because other tests may keep the machine busy. */
const PATIENCE = 15_000;

/** The page of an example, in a browser context of its own. */
export abstract class ExamplePage {
  readonly page: Page;
  /** The errors that the page reported, as exceptions or on its console. */
  readonly errors: string[] = [];
  /** Every address that the page requested. */
  readonly requests: string[] = [];

  protected constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", ({ message }) => this.errors.push(message));
    page.on("console", (message) => {
      // What fails while the server restarts is reported by the browser and is not the page's fault: a connection, and the icon,
      // which the browser fetches when it likes.
      const isExpected =
        message.text().startsWith("WebSocket connection to ") || message.location().url.endsWith("/icon.svg");
      if (message.type() === "error" && !isExpected) this.errors.push(message.text());
    });
    page.on("request", (request) => this.requests.push(request.url()));
  }

  protected abstract status(text: string): Locator;

  async isConnected(): Promise<void> {
    await this.status("Connected").waitFor();
  }

  async isReconnecting(): Promise<void> {
    await this.status("Reconnecting …").waitFor();
  }

  /** The field in which messages are written. */
  get message(): Locator {
    return this.page.getByLabel("Message", { exact: true });
  }

  async say(text: string): Promise<void> {
    await this.message.fill(text);
    await this.message.press("Enter");
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

/** Opens a page in a new browser context, so that it shares nothing with other pages. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options);
  return context.newPage();
}
