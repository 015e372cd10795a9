import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../browser/browser.ts";
import { documented, Example, expectTwoPagesToChat, PATIENCE, UNEXPECTED } from "./example.ts";

let example: Example;
let browser: Browser;

beforeAll(async () => {
  [example, browser] = await Promise.all([Example.install("koa"), launchBrowser()]);
}, PATIENCE);

afterAll(async () => {
  await browser.close();
  example.remove();
});

test("two pages chat", { timeout: PATIENCE }, async () => {
  const { url, port, program } = await example.start();
  await expectTwoPagesToChat(browser, url);
  expect(program.output).not.toMatch(UNEXPECTED);
  expect(await example.outputOnTakenPort(port)).toContain("EADDRINUSE");
});

test("over HTTPS, and whatever a middleware answers", { timeout: PATIENCE }, async () => {
  example.addCertificate();
  example.edit("server.mjs", (text) =>
    text
      .replace(/const server = .*\n/, documented("koa", "https"))
      .replace("const port", "app.use((context) => context.throw(403));\n$&"),
  );
  const { port } = await example.start();
  const [page] = await expectTwoPagesToChat(browser, `https://localhost:${port}`);
  expect(page.url()).toMatch(/^https:/);
});
