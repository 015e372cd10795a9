import type { Browser, BrowserContext, Locator, Page } from "playwright-core";

/** How long the page may take to show something, in milliseconds: much, for the machine may be busy with other tests. */
const PATIENCE = 15_000;

/** Somebody with a browser of their own in front of the chat's page. */
export class Visitor {
  readonly page: Page;
  readonly #context: BrowserContext;
  /** What the page reported as wrong, and every address it asked for. */
  readonly errors: string[] = [];
  readonly requests: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("request", (request) => this.requests.push(request.url()));
  }

  /** Opens the page, which shows its door. */
  static async arrive(browser: Browser, url: string, viewport = { width: 1100, height: 700 }): Promise<Visitor> {
    const context = await browser.newContext({ viewport });
    const visitor = new Visitor(context, await context.newPage());
    await visitor.page.goto(url);
    return visitor;
  }

  /** Goes through the door. */
  async enter(name: string, room: string): Promise<void> {
    await this.page.getByLabel("Your name").fill(name);
    await this.page.getByLabel("Room", { exact: true }).fill(room);
    await this.page.getByRole("button", { name: "Enter" }).click();
    await this.isConnected();
    await this.isIn(room);
  }

  /** Tries to go through the door under a name that is too long, and waits until the server's reason is shown. */
  async isRefusedForTheName(): Promise<void> {
    await this.page.evaluate("document.getElementById('entry-name').removeAttribute('maxlength')");
    await this.page.getByLabel("Your name").fill("a".repeat(33));
    await this.page.keyboard.press("Enter");
    await this.page.getByRole("alert").filter({ hasText: '"name" must be text of 1 to 32 characters.' }).waitFor();
  }

  async isConnected(): Promise<void> {
    await this.#state("Connected").waitFor();
  }

  async isReconnecting(): Promise<void> {
    await this.#state("Reconnecting …").waitFor();
  }

  async isIn(room: string): Promise<void> {
    await this.page.getByRole("heading", { level: 1, name: room, exact: true }).waitFor();
  }

  async say(text: string): Promise<void> {
    await this.message.fill(text);
    await this.message.press("Enter");
  }

  /** Waits until this message is there, from whomever. */
  async hears(text: string): Promise<Locator> {
    const item = this.page.locator(".message").filter({ has: this.page.getByText(text, { exact: true }) });
    await item.waitFor();
    return item;
  }

  /** Waits for a line about the room. */
  async sees(line: string): Promise<void> {
    await this.page.locator(".system").filter({ hasText: line }).last().waitFor();
  }

  /** Of all messages in the log, in order. */
  texts(): Promise<string[]> {
    return this.page.locator(".message .text").allTextContents();
  }

  /** The names in the list of those who are here. */
  people(): Promise<string[]> {
    return this.page.locator("#people .name").allTextContents();
  }

  get message(): Locator {
    return this.page.getByLabel("Message", { exact: true });
  }

  /** The id of the element that has the focus. */
  focus(): Promise<string> {
    return this.page.evaluate("document.activeElement.id");
  }

  async vanish(): Promise<void> {
    await this.#context.close();
  }

  #state(text: string): Locator {
    return this.page.locator("#state").filter({ hasText: text });
  }
}
