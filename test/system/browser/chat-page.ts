import type { Browser, Locator } from "playwright-core";
import { ExamplePage, openPage } from "./example-page.ts";

/** The chat's page as one person sees it. */
export class ChatPage extends ExamplePage {
  /** Opens the page, which shows its entry form. */
  static async open(browser: Browser, url: string, viewport = { width: 1100, height: 700 }): Promise<ChatPage> {
    const chat = new ChatPage(await openPage(browser, { viewport }));
    await chat.page.goto(url);
    return chat;
  }

  /** Fills in the entry form and waits until the room is shown. */
  async enter(name: string, room: string): Promise<void> {
    await this.page.getByLabel("Your name").fill(name);
    await this.page.getByLabel("Room", { exact: true }).fill(room);
    await this.page.getByRole("button", { name: "Enter" }).click();
    await this.isConnected();
    await this.isIn(room);
    await this.sees("You joined the room");
  }

  /** Submits the entry form with a name that is too long, and waits until the server's reason is shown. */
  async isRefusedForTheName(): Promise<void> {
    await this.page.evaluate("document.getElementById('entry-name').removeAttribute('maxlength')");
    await this.page.getByLabel("Your name").fill("a".repeat(33));
    await this.page.keyboard.press("Enter");
    await this.page.getByRole("alert").filter({ hasText: '"name" must be text of 1 to 32 characters.' }).waitFor();
  }

  async isIn(room: string): Promise<void> {
    await this.page.getByRole("heading", { level: 1, name: room, exact: true }).waitFor();
  }

  /** Waits until a message with this text is there, and returns its element. */
  async hears(text: string): Promise<Locator> {
    const item = this.page.locator(".message").filter({ has: this.page.getByText(text, { exact: true }) });
    await item.waitFor();
    return item;
  }

  /** Waits for a line about the room. */
  async sees(line: string): Promise<void> {
    await this.page.locator(".system").filter({ hasText: line }).last().waitFor();
  }

  /** The texts of all messages in the log, in order. */
  texts(): Promise<string[]> {
    return this.page.locator(".message .text").allTextContents();
  }

  /** The texts of the messages that came again, in order. */
  past(): Promise<string[]> {
    return this.page.locator(".past .text").allTextContents();
  }

  /** The names of those who are shown as typing. */
  typists(): Promise<string[]> {
    return this.page.locator(".person").filter({ hasText: "typing …" }).locator(".name").allTextContents();
  }

  /** The names in the list of those who are here. */
  people(): Promise<string[]> {
    return this.page.locator("#people .name").allTextContents();
  }

  /** The id of the element that has the focus. */
  focus(): Promise<string> {
    return this.page.evaluate("document.activeElement.id");
  }

  protected override status(text: string): Locator {
    return this.page.locator("#state").filter({ hasText: text });
  }
}
