import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { blocksOf } from "../../support/markdown.ts";
import { launchBrowser } from "../browser/browser.ts";
import { ChatWindow } from "./chat-window.ts";
import { Project } from "./project.ts";

// The pages of the guide that are about pages, followed as they are written.

/** npm installs packages, and programs start, on a busy machine; in milliseconds. */
const PATIENCE = 240_000;

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

async function newProject(): Promise<Project> {
  const project = await Project.create();
  onTestFinished(() => project.remove());
  return project;
}

test("docs/guide/first-chat.md", { timeout: PATIENCE }, async () => {
  const path = "docs/guide/first-chat.md";
  const project = await newProject();
  let windows: readonly ChatWindow[] = [];

  const chat = async (): Promise<void> => {
    const ann = await ChatWindow.open(browser, project.url);
    await ann.sees("open");
    const ben = await ChatWindow.open(browser, project.url);
    await ben.sees("open");
    windows = [ann, ben];
    await ann.sees("joined");
    expect(await ann.chatsWith(ben)).toStrictEqual([]);
    await project.terminal().interrupt();
    for (const window of windows) await window.sees("waiting");
    await ann.say("Typed meanwhile");
  };
  const goOn = async (): Promise<void> => {
    const [ann] = windows as readonly [ChatWindow];
    await ann.sees("Typed meanwhile");
    for (const { page } of windows) await expect.poll(() => page.getByText("open", { exact: true }).count()).toBe(2);
  };
  const paste = async (): Promise<void> => {
    const script = blocksOf(path).find(({ info: [, mark] }) => mark === "console")?.text ?? "";
    const [ann] = windows as readonly [ChatWindow];
    const printed: string[] = [];
    ann.page.on("console", (message) => printed.push(message.text()));
    await ann.page.evaluate(script.replaceAll("8080", String(project.port)));
    for (const window of windows) await window.sees("Hello from the console");
    await expect.poll(() => printed.join()).toMatch(/hub:welcome.*Hello from the console/);
  };
  await project.follow(path, { "Run it": chat, "Stop it": goOn, "Without the client": paste });
});

test("docs/guide/users.md", { timeout: PATIENCE }, async () => {
  const project = await newProject();
  const logInAndOut = async (expected: string): Promise<void> => {
    const { page } = await ChatWindow.open(browser, project.url);
    const says = (text: string): Promise<void> => page.getByText(text, { exact: true }).waitFor();
    await says("You are nobody.");
    await page.getByPlaceholder("Name").fill("ann");
    await page.getByPlaceholder("Password").fill("tea");
    await page.getByText("Log in").click();
    await says(expected);
    await page.getByText("Log out").click();
    await says("You are nobody.");
    expect(await page.title()).toBe("Users");
  };
  await project.follow("docs/guide/users.md", {
    Sessions: () => logInAndOut("You are ann"),
    Passport: () => logInAndOut("You are Ann"),
  });
});
