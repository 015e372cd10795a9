import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { readText } from "../../support/markdown.ts";
import { launchBrowser } from "../browser/browser.ts";
import { ChatWindow } from "./chat-window.ts";
import { Project } from "./project.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

/** What somebody has written by hand on ws, and what docs/MIGRATING.md makes of it. */
test(
  "a chat that was written by hand on ws is ported, and its pages chat as before",
  { timeout: 180_000 },
  async () => {
    const project = await Project.create();
    onTestFinished(() => project.remove());
    await project.type("npm install ws");
    await chats("before");
    await project.type("npm install roomcast");
    await chats("after");

    async function chats(version: string): Promise<void> {
      for (const file of ["server.mjs", "index.html"]) {
        project.write(file, readText(`test/system/package/ws-chat/${version}/${file}`));
      }
      const server = await project.start("node server.mjs");
      await server.shows([project.url.slice(0, -1)]);
      const ann = await ChatWindow.open(browser, `${project.url}?name=Ann`);
      const ben = await ChatWindow.open(browser, `${project.url}?name=Ben`);
      await ann.sees("Ben is here");
      expect(await ann.chatsWith(ben)).toStrictEqual([]);
      await ben.sees("Ann: Anybody there?");
      await ben.page.context().close();
      await ann.sees("Ben has left");
    }
  },
);
