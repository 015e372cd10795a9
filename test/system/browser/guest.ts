import type { Browser, BrowserContext, Locator, Page } from "playwright-core";

/** How long the page may take to show something, in milliseconds: much, for the machine may be busy with other tests. */
const PATIENCE = 15_000;

/** Somebody with a browser of their own in front of the React example's page. */
export class Guest {
  readonly page: Page;
  readonly #context: BrowserContext;
  /** What the page reported as wrong, in exceptions and on its console. */
  readonly errors: string[] = [];
  /** How many WebSockets it has opened. */
  sockets = 0;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", ({ message }) => this.errors.push(message));
    page.on("websocket", () => (this.sockets += 1));
    page.on("console", (message) => {
      // That a connection fails while the server restarts is the browser's to report and not the page's fault.
      const expected = message.text().startsWith("WebSocket connection to ");
      if (message.type() === "error" && !expected) this.errors.push(message.text());
    });
  }

  static async arrive(browser: Browser, url: string): Promise<Guest> {
    const context = await browser.newContext();
    const guest = new Guest(context, await context.newPage());
    await guest.page.goto(url);
    return guest;
  }

  async isConnected(): Promise<void> {
    await this.#status("Connected").waitFor();
  }

  async isReconnecting(): Promise<void> {
    await this.#status("Reconnecting …").waitFor();
  }

  async rename(name: string): Promise<void> {
    await this.page.getByLabel("Your name").fill(name);
    await this.page.getByRole("button", { name: "Change" }).click();
  }

  async isAnswered(text: string): Promise<void> {
    await this.page.locator("output").filter({ hasText: text }).waitFor();
  }

  async isTold(problem: string): Promise<void> {
    await this.page.getByRole("alert").filter({ hasText: problem }).waitFor();
  }

  async goTo(room: string): Promise<void> {
    await this.page.getByRole("link", { name: new RegExp(`^${room} `) }).click();
    await this.page.getByRole("heading", { level: 2, name: room, exact: true }).waitFor();
  }

  async say(text: string): Promise<void> {
    await this.message.fill(text);
    await this.message.press("Enter");
  }

  /** Waits for a message of this person's. */
  async hears(name: string, text: string): Promise<void> {
    const said = this.page.getByText(text, { exact: true });
    await this.page.locator("[role=log] li").filter({ hasText: name }).filter({ has: said }).waitFor();
  }

  /** All messages of the room, in order, each with its sender. */
  messages(): Promise<string[]> {
    return this.page.locator("[role=log] li").allInnerTexts();
  }

  /** Waits until the list of rooms is this. */
  async seesRooms(...rooms: readonly string[]): Promise<void> {
    const links = this.page.getByRole("navigation").getByRole("link");
    await Promise.all(rooms.map((room, index) => links.nth(index).and(links.getByText(room)).waitFor()));
  }

  /** Waits until this is said of those who are typing. */
  async sees(line: string): Promise<void> {
    await this.page.locator(".typing").filter({ hasText: line }).waitFor();
  }

  typing(): Promise<string> {
    return this.page.locator(".typing").innerText();
  }

  get message(): Locator {
    return this.page.getByLabel("Message", { exact: true });
  }

  async vanish(): Promise<void> {
    await this.#context.close();
  }

  #status(text: string): Locator {
    return this.page.getByRole("status").and(this.page.locator(".state")).filter({ hasText: text });
  }
}
