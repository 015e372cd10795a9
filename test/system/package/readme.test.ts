import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { launchBrowser } from "../browser/browser.ts";
import { ChatWindow } from "./chat-window.ts";
import { Project } from "./project.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

test("the README's first file, pasted into an empty folder, is a chat of two pages", { timeout: 180_000 }, async () => {
  const project = await Project.create();
  onTestFinished(() => project.remove());
  const chat = async (): Promise<void> => {
    await project.terminal().shows([project.url.slice(0, -1)]);
    const ann = await ChatWindow.open(browser, project.url);
    const ben = await ChatWindow.open(browser, project.url);
    expect(await ann.chatsWith(ben)).toStrictEqual([]);
  };
  await project.follow("README.md", { "": chat }, "");
  expect.assertions(1);
});
