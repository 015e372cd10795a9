import type { Browser, Locator, Page } from "playwright-core";
import { ExamplePage, openPage } from "./example-page.ts";

/** The React example's page as one person sees it. */
export class ReactPage extends ExamplePage {
  /** How many WebSockets the page has opened. */
  sockets = 0;

  static async open(browser: Browser, url: string): Promise<ReactPage> {
    const page = await openPage(browser);
    const react = new ReactPage(page);
    await page.goto(url);
    return react;
  }

  private constructor(page: Page) {
    super(page);
    page.on("websocket", () => (this.sockets += 1));
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

  /** Waits for a message with this sender and this text. */
  async hears(name: string, text: string): Promise<void> {
    const said = this.page.getByText(text, { exact: true });
    await this.page.locator("[role=log] li").filter({ hasText: name }).filter({ has: said }).waitFor();
  }

  /** All messages of the room, in order, each with its sender. */
  async messages(): Promise<string[]> {
    return this.#textsOf("li");
  }

  /** The user's own messages, which stand on the right. */
  async own(): Promise<string[]> {
    return this.#textsOf("li.own");
  }

  async #textsOf(items: string): Promise<string[]> {
    const parts = (part: string): Promise<string[]> =>
      this.page.locator(`[role=log] ${items} ${part}`).allTextContents();
    const [senders, texts] = await Promise.all([parts(".sender"), parts(".text")]);
    return senders.map((sender, index) => `${sender} ${texts[index]}`);
  }

  /** Waits until the list of rooms is this. */
  async seesRooms(...rooms: readonly string[]): Promise<void> {
    const links = this.page.getByRole("navigation").getByRole("link");
    await Promise.all(rooms.map((room, index) => links.nth(index).and(links.getByText(room)).waitFor()));
  }

  /** Waits until the line about who is typing has this text. */
  async sees(line: string): Promise<void> {
    await this.page.locator(".typing").filter({ hasText: line }).waitFor();
  }

  /** Waits until the line about who is in the room has this text. */
  async isWith(people: string): Promise<void> {
    await this.page.getByText(people, { exact: true }).waitFor();
  }

  /** Opens the same address in another tab of the same user. */
  async openTab(): Promise<Page> {
    const tab = await this.page.context().newPage();
    await tab.goto(this.page.url());
    return tab;
  }

  typing(): Promise<string> {
    return this.page.locator(".typing").innerText();
  }

  protected override status(text: string): Locator {
    return this.page.getByRole("status").and(this.page.locator(".state")).filter({ hasText: text });
  }
}
